/** The seed of this file's random runs, shown in the test names. FC_SEED repeats a run. */
export const SEED = Number(process.env.FC_SEED ?? Math.trunc(Math.random() * 2 ** 31));
