/** Says that it has begun and then computes: nobody can make it listen. Its beats go to the file that is its argument, for a minute. */
const beat = () => Deno.writeTextFileSync(Deno.args[0], ".", { append: true });
beat();
console.log(0);
for (const end = performance.now() + 60_000; performance.now() < end;) beat();
