import {defineConfig} from 'vitest/config';
import {SlowFirst} from './slow-first.ts';

/** Tests that start programs and wait for the kernel, on two cores that others may share. */
const REAL = [
	'boot',
	'change',
	'checklist',
	'containers',
	'export',
	'lockout',
	'media',
	'package',
	'persistence',
	'proof',
	'remote',
	'system',
	'terminal',
];
/** Tests of what is printed and shown, without a terminal. Some replace a module or the environment. */
const SCREEN = ['commands', 'ui'];

const filesIn = (folders: string) => `test/${folders}/**/*.test.{ts,tsx}`;

export default defineConfig({
	root: new URL('..', import.meta.url).pathname,
	test: {
		setupFiles: ['.config/seed.ts'],
		// Two more than cores: many wait for a watchdog or a boot most of their time. With five, tests
		// that measure what happens within 10 s begin to fail.
		maxWorkers: 4,
		sequence: {sequencer: SlowFirst},
		testTimeout: 60_000,
		hookTimeout: 120_000,
		reporters: process.env.FWW_RESULTS
			? ['default', ['json', {outputFile: process.env.FWW_RESULTS}]]
			: ['default'],
		projects: [
			// Nothing here is replaced or changed for a test: the files can share what they load.
			{
				extends: true,
				test: {
					name: 'code',
					include: [filesIn(`!(${[...REAL, ...SCREEN].join('|')})`)],
					isolate: false,
				},
			},
			{extends: true, test: {name: 'screen', include: [filesIn(`{${SCREEN.join(',')}}`)]}},
			// A packet or a process may come late on a busy machine; what fails twice has failed.
			{extends: true, test: {name: 'real', include: [filesIn(`{${REAL.join(',')}}`)], retry: 1}},
		],
	},
});
