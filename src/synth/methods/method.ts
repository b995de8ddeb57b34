/** What a method is: the settings of an activation maximisation that somebody published. */
import type { Settings } from "../settings.ts";

/** A method. */
export interface Method {
  readonly help: string;
  /** Its settings for pictures of so many pixels along the longer side. What somebody says counts before them. */
  settings(side: number): Partial<Settings>;
}
