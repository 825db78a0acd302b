/** The seed of this file's random runs; it stands in the names of the tests. FC_SEED repeats one. */
export const SEED = Number(process.env.FC_SEED ?? Math.trunc(Math.random() * 2 ** 31));
