/**
 * What Phosphene needs of a language that is younger than WebGPU, made where an engine lacks it: Chrome has WebGPU from 113, and
 * these from 117 (`Map.groupBy`), 121 (`Array.fromAsync`) and 134 (`Symbol.dispose`).
 */
const symbols = Symbol as { dispose?: symbol };
symbols.dispose ??= Symbol.for("Symbol.dispose");

Map.groupBy ??= <Key, Item>(items: Iterable<Item>, keyOf: (item: Item, index: number) => Key): Map<Key, Item[]> => {
  const groups = new Map<Key, Item[]>();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
};

Array.fromAsync ??= async <Item>(items: AsyncIterable<Item> | Iterable<Item> | ArrayLike<Item>): Promise<Item[]> => {
  const list: Item[] = [];
  for await (const item of items as AsyncIterable<Item>) list.push(item);
  return list;
};
