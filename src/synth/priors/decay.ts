/** The code's factor after each step, 1 − 2λ: the gradient of −λ |code|², with the step of the paper's program. */

/** The statement. */
export const decay = "code *= s.decay;";
