/** The best few of any number: for each of so many rows, the pictures of the largest scores. */

/** A picture that is among a row's best. */
export interface Found {
  picture: number;
  score: number;
  /** Where in the picture, as whoever offered it counts places. */
  place: number;
}

/** What no picture has: all of them come before it. */
const nobody = 2 ** 31 - 1;

/** Rows of at most `keep` pictures, the largest score first; of equal ones the earlier picture comes first. */
export class Best {
  readonly scores: Float64Array<ArrayBuffer>;
  readonly pictures: Int32Array<ArrayBuffer>;
  readonly places: Int32Array<ArrayBuffer>;

  constructor(readonly rows: number, readonly keep: number) {
    this.scores = new Float64Array(rows * keep).fill(-Infinity);
    this.pictures = new Int32Array(rows * keep).fill(nobody);
    this.places = new Int32Array(rows * keep);
  }

  /** Puts a picture where it belongs. The score is finite, and no picture is offered twice to a row. */
  offer(row: number, score: number, picture: number, place = 0): void {
    const { scores, pictures, places, keep } = this;
    const first = row * keep;
    const isBefore = (at: number) => score > scores[at] || score === scores[at] && picture < pictures[at];
    let at = first + keep - 1;
    if (!isBefore(at)) return;
    for (; at > first && isBefore(at - 1); at--) {
      scores[at] = scores[at - 1];
      pictures[at] = pictures[at - 1];
      places[at] = places[at - 1];
    }
    scores[at] = score;
    pictures[at] = picture;
    places[at] = place;
  }

  /** A row, the best first. */
  row(row: number): Found[] {
    const places = Array.from({ length: this.keep }, (_, n) => row * this.keep + n);
    return places.filter((at) => this.pictures[at] !== nobody).map((at) => ({
      picture: this.pictures[at],
      score: this.scores[at],
      place: this.places[at],
    }));
  }

  /** Offers each unit of a layer its largest value in a picture: the first of equal ones, row by row of its map. */
  offerMaxima(values: Float32Array, picture: number): void {
    const area = values.length / this.rows;
    for (let unit = 0; unit < this.rows; unit++) {
      let largest = unit * area;
      const end = largest + area;
      for (let at = largest + 1; at < end; at++) if (values[at] > values[largest]) largest = at;
      this.offer(unit, values[largest], picture, largest - unit * area);
    }
  }

  /** The same with other numbers for the pictures, which keep their order. */
  renumbered(become: (picture: number) => number): Best {
    const best = new Best(this.rows, this.keep);
    best.scores.set(this.scores);
    best.places.set(this.places);
    this.pictures.forEach((picture, at) => best.pictures[at] = picture === nobody ? nobody : become(picture));
    return best;
  }
}
