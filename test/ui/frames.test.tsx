import {describe, expect, test} from 'vitest';
import {HELPERS} from '../../source/policy/helpers.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, defaultPolicy, type Policy, VERDICTS} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {glyphs} from '../../source/ui/theme.ts';
import {appOpener} from '../_helpers/ui/app.tsx';
import {factsKnown} from '../_helpers/ui/facts-known.ts';
import {expectFits, expectFrame, SIZES, type Size} from '../_helpers/ui/frames.ts';

const openApp = appOpener();
const WORKSTATION = defaultPolicy('workstation');
const SERVER = defaultPolicy('server');
const BANNER = 'Rehearsal: a private copy. The real machine stays as it is.';
const MANY = completePolicy({
	role: 'server',
	helpers: ['ftp'],
	openings: openings(
		`ssh, 53, 21/tcp from 10.0.0.0/8, 5432/tcp on wg0 limit, ${Array.from({length: 10}, (_, index) => `${8000 + 2 * index}/tcp from 2001:db8::/32 on a-long-name-1`).join()}`,
	),
});

describe.each([...SIZES, [110, 12]] as readonly Size[])('%i columns, %i rows', (columns, rows) => {
	const size: Size = [columns, rows];
	const start = async (preset = {}, banner?: string) => {
		const app = await openApp({columns, rows, preset, ...(banner === undefined ? {} : {banner})});
		expectFits(app.lines(), size);
		await app.press('enter');
		return app;
	};

	test('Role', async () => {
		const app = await start();
		expectFrame(app.lines(), {size, now: WORKSTATION, focused: WORKSTATION});
		expect(app.screen()).toContain('Workstation (recommended)');
		expect(app.screen()).toContain('Server');
		await app.press('down');
		expectFrame(app.lines(), {size, now: WORKSTATION, focused: SERVER});
	});

	test('Role, with what is recommended and why', async () => {
		const reason = 'nginx, postgresql and 14 more listen on all addresses';
		const known = factsKnown({recommendation: {role: 'server', reason}});
		const app = await openApp({columns, rows, machine: {known}});
		await app.press('enter');
		const texts = [`Server is recommended: ${reason}.`];
		expectFrame(app.lines(), {size, now: SERVER, focused: SERVER, texts});
		expect(pointed(app.lines())).toBe('Server (recommended)');
		await app.press('down');
		expectFrame(app.lines(), {size, now: SERVER, focused: WORKSTATION, texts});
	});

	test('Rejection, each verdict, with and without log', async () => {
		const app = await start();
		await app.press('enter');
		for (const log of [false, true]) {
			for (const verdict of VERDICTS) {
				const now = {...WORKSTATION, log};
				expectFrame(app.lines(), {size, now, focused: {...now, verdict}});
				expect(pointed(app.lines())).toMatch(new RegExp(`^${verdict}`, 'i'));
				await app.press('down');
			}
			await app.poke('l');
		}
	});

	test('Helpers, each of them', async () => {
		const app = await start({}, BANNER);
		await app.press('enter', 'enter');
		for (const {name} of HELPERS) {
			const focused = {...WORKSTATION, helpers: [name]};
			expectFrame(app.lines(), {size, now: WORKSTATION, focused, texts: [BANNER]});
			expect(pointed(app.lines())).toContain(` ] ${name}`);
			await app.press('down');
		}

		await app.press('space');
		expect(pointed(app.lines())).toContain('[x] ftp');
	});

	test('Ports, with what is typed', async () => {
		const app = await start({role: 'server'});
		await app.press('enter', 'enter', 'enter');
		const show = (text: string, focused: Policy, ...texts: string[]) =>
			expectFrame(app.lines(), {size, now: SERVER, focused, texts: [text, ...texts]});
		expectFrame(app.lines(), {size, now: SERVER, focused: SERVER});
		const text = '8000-8010/tcp, 9100/tcp from 10.0.0.0/8 on wg0 limit, 53';
		for (let index = 0; index < text.length; index += 7) {
			await app.paste(text.slice(index, index + 7));
			expectFits(app.lines(), size);
			const end = text.slice(Math.max(0, index - 14), index + 7);
			expect(typed(app.lines()).slice(-end.length)).toBe(end);
		}

		const focused = completePolicy({openings: [...SERVER.openings, ...openings(text)]}, SERVER);
		show(text, focused, `Enter opens ${text}`);
		await app.press('enter');
		expectFrame(app.lines(), {size, now: focused, focused});
	});

	test.each([
		'22/tcp foo',
		`${'x'.repeat(90)} from 2001:db8::`,
		'70000/tcp',
		'htttp',
		'22/tcp from 300.1.1.1',
		'世界世界世界世界世界世界世界世界世界世界世界世界世界世界世界世界',
	])('Ports, told what is wrong with %s', async (text) => {
		const app = await start({role: 'server'});
		await app.press('enter', 'enter', 'enter');
		await app.paste(text);
		expectFits(app.lines(), size);
		const screen = app.screen();
		expect(screen).toContain(rows > 12 ? 'Open (1):' : '22/tcp');
		expect(screen).toContain(glyphs.caret);
	});

	test('Ports, walking down a long list and removing from it', async () => {
		const app = await start(MANY);
		await app.press('enter', 'enter', 'enter');
		expectFrame(app.lines(), {size, now: MANY, focused: MANY});
		for (let index = 0; index < MANY.openings.length; index++) {
			await app.press('down');
			const without = MANY.openings.filter((_, place) => place !== index);
			expectFrame(app.lines(), {size, now: MANY, focused: {...MANY, openings: without}});
		}

		await app.pressInVain('down');
		await app.press('delete', 'up');
		const left = {...MANY, openings: MANY.openings.slice(0, -1)};
		const focused = {
			...MANY,
			openings: [...left.openings.slice(0, -2), ...left.openings.slice(-1)],
		};
		expectFrame(app.lines(), {size, now: left, focused});
	});

	test('Review, Apply and Result keep to the terminal', async () => {
		const app = await start(MANY, BANNER);
		await app.press('enter', 'enter', 'enter', 'enter');
		for (const key of ['tab', 'tab', 'tab', 'end', 'pageUp', 'home', 'pageDown'] as const) {
			expectFits(app.lines(), size);
			await app.poke(key);
		}

		await app.type('p');
		await app.paste('tcp 22 from 10.1.2.3');
		expectFits(app.lines(), size);
		await app.press('escape', 'enter');
		expectFits(app.lines(), size);
	});
});

function openings(text: string) {
	return parseOpenings(text, OWN_SERVICES);
}

/** The text of the line that has the pointer. */
function pointed(lines: readonly string[]): string {
	const line = lines.find((candidate) => candidate.startsWith(glyphs.pointer)) ?? '';
	const [text = ''] = line.slice(glyphs.pointer.length).split(/ {4,}(?=Rules| {2}[4 ] [6 ] )/);
	return text.trim();
}

/** What stands between the pointer and the caret. */
function typed(lines: readonly string[]): string {
	const line = lines.find((candidate) => candidate.includes(glyphs.caret)) ?? '';
	return line.slice(glyphs.pointer.length + 1, line.indexOf(glyphs.caret));
}
