import process from 'node:process';
import fc from 'fast-check';

// The same cases on each run, so that what fails in one fails in the next. Others find more:
// FWW_SEED=$RANDOM npm test
fc.configureGlobal({seed: Number(process.env.FWW_SEED ?? 20_261_124)});
