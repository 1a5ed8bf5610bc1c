import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import type {Apply} from '../../source/ui/hooks/use-apply.ts';
import {startFlow} from '../../source/ui/state/state.ts';
import {glyphs, glyphsFor} from '../../source/ui/theme.ts';
import {type AppOptions, appOpener, type OpenApp} from '../_helpers/ui/app.tsx';
import {markColours} from '../_helpers/ui/cells.ts';
import {expectFits, type Size} from '../_helpers/ui/frames.ts';
import {DOCKER_HOST, PROVEN_CONTAINERS} from './container-scenes.ts';
import {ACTIVE, LOG} from './home-scenes.ts';
import {CHECKLIST, PROVEN, REFUTED, SERVER, SlowProver} from './scenes.ts';

// Asked for before Ink is imported; there is no terminal here that would have colours.
vi.hoisted(() => {
	process.env.FORCE_COLOR = '1';
});

/**
 * Every step as it looks: `npm run frames` writes test/ui/snapshots anew, and somebody must look at
 * what changed there. Behind each frame stand its lines that have styles, and those that ASCII shows
 * otherwise than by its own signs.
 */
const SCENES = [
	'home',
	'home-blocked',
	'home-undo',
	'welcome',
	'neighbours',
	'role',
	'rejection',
	'helpers',
	'ports',
	'ports-list',
	'ports-alternatives',
	'published-ports',
	'published-left',
	'published-review',
	'published-proof',
	'review-summary',
	'review-rules',
	'review-restore',
	'review-commands',
	'review-packet',
	'review-shut',
	'proof-running',
	'proof-done',
	'proof-failed',
	'apply-asking',
	'apply-shut',
	'apply-waiting',
	'apply-doubt',
	'apply-login',
	'result',
	'result-rolled-back',
	'help',
	'help-waiting',
] as const;
type Scene = (typeof SCENES)[number];

const SIZES: readonly Size[] = [
	[120, 40],
	[80, 24],
	[60, 20],
];
/** Copies: what is drawn with is one of the two itself. */
const CHARACTERS = {
	'UTF-8': {...glyphsFor({LANG: 'C.UTF-8'})},
	ASCII: {...glyphsFor({LANG: 'C'})},
};

type Shot = {readonly title: string; readonly lines: readonly string[]};

const openApp = appOpener();
const shots = new Map<Scene, Shot[]>();
const own = {...glyphs};

beforeAll(async () => {
	for (const size of SIZES) {
		for (const name of ['UTF-8', 'ASCII'] as const) {
			Object.assign(glyphs, CHARACTERS[name]);
			await walk(size, name);
			await walkAstray(size, name);
			await walkContainers(size, name);
		}
	}
});

afterAll(() => {
	Object.assign(glyphs, own);
});

describe('frames', () => {
	test.each(SCENES)('%s', async (scene) => {
		const text = (shots.get(scene) ?? [])
			.map(({title, lines}) => [`== ${title} ==`, ...lines, ''].join('\n'))
			.join('\n');
		await expect(text).toMatchFileSnapshot(`snapshots/${scene}.txt`);
	});
});

/** From Welcome to Result, where all is well. */
async function walk(size: Size, characters: keyof typeof CHARACTERS): Promise<void> {
	const prover = new SlowProver(PROVEN);
	const seen: {doubt?: string} = {};
	const app = await open(size, {prover, onApply: waiting([], seen)});
	const welcome = await open(size, {
		start: startFlow({}, ['server', 'workstation'], OWN_SERVICES),
	});
	const shoot = async (scene: Scene) => take(scene, app, size, characters);
	const home = await open(size, {
		start: startFlow(ACTIVE.policy, ['server', 'workstation'], OWN_SERVICES, 'home'),
		machine: {...SERVER, status: ACTIVE, readBlocked: async () => LOG},
	});
	await take('home', home, size, characters);
	await home.press('down', 'down', 'enter');
	await take('home-blocked', home, size, characters);
	await home.press('escape', 'down', 'enter');
	await take('home-undo', home, size, characters);
	await welcome.settle();
	await take('welcome', welcome, size, characters);
	await app.press('enter');
	await shoot('neighbours');
	await app.press('enter');
	await shoot('role');
	await app.press('enter', 'down');
	await shoot('rejection');
	await app.type('?');
	await shoot('help');
	await app.press('enter', 'up', 'enter', 'down');
	await shoot('helpers');
	await app.press('enter');
	await app.paste('443/tcp from 10.0.0.0/8');
	await shoot('ports');
	await app.press('enter', 'down', 'down');
	await shoot('ports-list');
	await app.press('tab');
	await shoot('ports-alternatives');
	await app.press('tab', 'enter');
	await shoot('review-summary');
	await app.press('tab');
	await shoot('review-rules');
	await app.press('tab');
	await shoot('review-restore');
	await app.press('tab');
	await shoot('review-commands');
	await app.type('p');
	await app.paste('tcp 443 from 10.0.0.9');
	await shoot('review-packet');
	await app.press('escape');
	await prover.enter(async () => app.press('enter'));
	await shoot('proof-running');
	await prover.finish(app);
	await shoot('proof-done');
	await app.press('enter');
	await shoot('apply-asking');
	await app.press('enter');
	await shoot('apply-waiting');
	await app.type('?');
	await shoot('help-waiting');
	await app.press('enter');
	seen.doubt =
		'This login comes from 198.51.100.7, and the rules were applied from 203.0.113.9: it does not show that you can log in from there';
	await vi.waitFor(() => expect(app.screen()).toContain('A login was seen'), {timeout: 5000});
	await shoot('apply-doubt');
	await app.type('keep');
	await app.press('enter');
	await shoot('result');
}

/** Rules that shut the way in, other rules in their way, and a roll back. */
async function walkAstray(size: Size, characters: keyof typeof CHARACTERS): Promise<void> {
	const prover = new SlowProver(REFUTED);
	const app = await open(size, {
		prover,
		preset: {role: 'workstation', openings: []},
		onApply: waiting(['203.0.113.9']),
		banner: 'Rehearsal: a private copy. The real machine stays as it is.',
	});
	const shoot = async (scene: Scene) => take(scene, app, size, characters);
	await app.press('enter', 'enter', 'enter', 'enter', 'enter', 'enter');
	await shoot('review-shut');
	await prover.enter(async () => app.press('enter'));
	await prover.finish(app);
	await shoot('proof-failed');
	await app.press('enter');
	await shoot('apply-shut');
	await app.type('lock me out');
	await app.press('enter');
	await shoot('apply-login');
	await app.press('escape');
	await shoot('result-rolled-back');
}

/** Ports of containers: opened and shut as all others, or left to Docker. */
async function walkContainers(size: Size, characters: keyof typeof CHARACTERS): Promise<void> {
	const prover = new SlowProver(PROVEN_CONTAINERS);
	const app = await open(size, {prover, machine: DOCKER_HOST});
	const shoot = async (scene: Scene) => take(scene, app, size, characters);
	await app.press('enter', 'enter', 'enter', 'enter', 'down', 'down', 'down', 'down');
	await shoot('published-ports');
	await app.press('up', 'up', 'space');
	await shoot('published-left');
	await app.press('space', 'enter');
	await shoot('published-review');
	await prover.enter(async () => app.press('enter'));
	await prover.finish(app);
	await shoot('published-proof');
}

async function open([columns, rows]: Size, options: AppOptions): Promise<OpenApp> {
	return openApp({
		columns,
		rows,
		machine: SERVER,
		checker: {
			check: async () => CHECKLIST,
			mend: async () => CHECKLIST,
			tick: async () => CHECKLIST,
			reboot: async () => {},
		},
		...options,
	});
}

/** Rules that are loaded, and wait for ever. @param seen why a login does not confirm */
function waiting(logins: readonly string[], seen: {readonly doubt?: string} = {}): Apply {
	return async () => ({
		look: () => ({...seen, secondsLeft: 52, logins, keepable: logins.length > 0}),
		keep: async () => ({ok: true, message: 'Confirmed as change 1.'}),
		rollBack: async () => ({
			ok: false,
			message: 'The old rules are back',
			hint: 'Nothing of the new ones is left',
			rolledBack: true,
		}),
	});
}

async function take(
	scene: Scene,
	app: OpenApp,
	size: Size,
	characters: keyof typeof CHARACTERS,
): Promise<void> {
	const lines = app.lines().map((line) => line.trimEnd());
	expectFits(lines, size);
	const [name, before] = [size.join('x'), shots.get(scene) ?? []];
	if (characters === 'UTF-8') {
		const coloured = await markColours(app.frame(), size);
		const styled = {title: `${name}: styles`, lines: otherLines(coloured, lines)};
		shots.set(scene, [...before, {title: name, lines}, styled]);
		return;
	}

	expect(lines.join(''), `${scene} at ${name} in ASCII`).toMatch(/^[ -~]*$/);
	const drawn = before.find(({title}) => title === name)?.lines ?? [];
	expect(lines).toHaveLength(drawn.length);
	const others = otherLines(lines, drawn.map(inAscii));
	const title = `${name}: ${others.length === 0 ? 'the same in ASCII' : 'in ASCII, where more than signs differs'}`;
	shots.set(scene, [...before, {title, lines: others}]);
}

/** The lines that are not as others are, by their numbers. */
function otherLines(lines: readonly string[], others: readonly string[]): readonly string[] {
	return lines.flatMap((line, index) =>
		line === others[index] ? [] : [`${`${index + 1}`.padStart(2)} ${line}`],
	);
}

/** A line of UTF-8 with the signs of ASCII in place of its own. One block alone is the caret. */
function inAscii(line: string): string {
	return line
		.replace(/(?<!█)█(?!█)/g, '_')
		.replaceAll(/[❯✔✖○─›…█│·●]/g, (sign) => SIGNS[sign] ?? sign);
}

/** What stands for each sign, written out: a change of the theme is to be seen here. */
const SIGNS: Readonly<Record<string, string>> = {
	...{'❯': '>', '✔': '*', '✖': 'x', '○': 'o', '─': '-', '›': '>', '…': '...'},
	...{'█': '#', '│': '|', '·': '.', '●': 'o'},
};
