/** The one error that is the user's to mend: a bad file, argument or model. Its message is one clear sentence. */
export class UserError extends Error {
  override name = "UserError";
}
