import {stripVTControlCharacters} from 'node:util';
import {describe, expect, test} from 'vitest';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {startFlow} from '../../source/ui/state/state.ts';
import {firstFrame} from '../../source/ui/terminal/first-frame.ts';
import {appOpener} from '../_helpers/ui/app.tsx';
import {expectFits, SIZES} from '../_helpers/ui/frames.ts';

const openApp = appOpener();
const MACHINE = {
	head: 'web1, Debian 12, root',
	headline: 'Looking at this machine',
	findings: [
		{text: 'iptables: looking', tone: 'muted'},
		{text: `Network: eth0 ${'192.0.2.123 2001:db8::1 '.repeat(4)}`.trim(), tone: 'plain'},
		{text: 'You are not root: rules can be looked at, not loaded', tone: 'attention'},
	] as const,
};
const BANNER = 'Rehearsal: a private copy. The real machine stays as it is.';

describe.each(SIZES)('the first frame, %i columns, %i rows', (columns, rows) => {
	test.each([undefined, BANNER])(
		'is line for line what Ink draws after it; banner: %s',
		async (banner) => {
			const app = await openApp({
				columns,
				rows,
				start: startFlow({}, [], OWN_SERVICES),
				machine: {...MACHINE, looking: ['what listens']},
				...(banner === undefined ? {} : {banner}),
			});
			const frame = firstFrame({
				columns,
				rows,
				banner,
				machine: MACHINE,
				seconds: 60,
				colour: true,
			});
			const lines = stripVTControlCharacters(frame).split('\r\n');
			expectFits(lines, [columns, rows]);
			expect(lines.map((line) => line.trimEnd())).toEqual(
				app.lines().map((line) => line.trimEnd()),
			);
		},
	);
});

test('the first frame has colour only where it is wanted', () => {
	const draw = (colour: boolean) =>
		firstFrame({columns: 80, rows: 24, banner: BANNER, machine: MACHINE, seconds: 60, colour});
	expect(draw(true)).toContain('\u001B[');
	expect(draw(false)).toBe(stripVTControlCharacters(draw(true)));
});
