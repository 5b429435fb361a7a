/**
 * Before every suite: property tests draw the same cases in every run, so that a failure is one for everybody. To search
 * further: CLF_SEED=random, or any whole number.
 */
import fc from "fast-check";

const wanted = process.env.CLF_SEED;
if (wanted !== "random") fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(wanted ?? 20261122) });
