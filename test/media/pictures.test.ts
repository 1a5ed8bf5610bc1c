import {mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {useDebians} from '../_helpers/lab/debian.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {drawGif, drawPng} from './gif.ts';
import {FILES, setScene} from './scene.ts';
import {drawSvg, readSvg} from './svg.ts';
import {type Shot, walk} from './walk.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../media');
/** Set by `npm run media`: makes the pictures before it compares. */
const MAKES = process.env.FWW_MEDIA === 'make';
const TITLE = 'root@debian: fw-wizard';
/** Pixels of the PNGs for each of the SVGs, for sharp screens. */
const SCALE = 2;
/** What GitHub shows without hesitation. */
const LIMIT = 1_000_000;

describe('the pictures', () => {
	const lab = useLab();
	const debians = useDebians(lab);
	const terminals = useTerminals();

	test('every step looks as in its picture', async () => {
		const debian = await debians.boot('bookworm', FILES);
		await setScene(debian);
		const shots = await walk(debian, terminals, MAKES);
		if (MAKES) {
			make(shots);
		}

		const walked = Object.fromEntries(
			shots.flatMap(({name, picture}) =>
				name === undefined ? [] : [[name, timeless(readSvg(drawSvg(picture, TITLE)))]],
			),
		);
		const kept = Object.fromEntries(
			namesOf('.svg').map((name) => [name, timeless(readSvg(read(`${name}.svg`)))]),
		);
		expect(walked).toEqual(kept);
		expect(namesOf('.png')).toEqual(namesOf('.svg'));
		expect(Object.keys(walked)).toEqual(
			expect.arrayContaining(['welcome', 'role', 'ports', 'review', 'proof', 'confirm', 'result']),
		);
		expect(kept.proof).toContain('exactly what you chose passes');
	}, 400_000);
});

/** Writes all of media, and nothing but that. */
function make(shots: readonly Shot[]): void {
	rmSync(FOLDER, {recursive: true, force: true});
	mkdirSync(FOLDER);
	const drawn = shots.map((shot) => ({...shot, svg: drawSvg(shot.picture, TITLE)}));
	for (const {name, svg} of drawn) {
		if (name !== undefined) {
			writeFileSync(path.join(FOLDER, `${name}.svg`), svg);
			writeFileSync(path.join(FOLDER, `${name}.png`), drawPng(svg, SCALE));
		}
	}

	const gif = drawGif(drawn);
	expect(gif.length).toBeLessThan(LIMIT);
	writeFileSync(path.join(FOLDER, 'demo.gif'), gif);
}

function namesOf(extension: string): readonly string[] {
	return readdirSync(FOLDER)
		.filter((name) => name.endsWith(extension))
		.map((name) => path.basename(name, extension))
		.sort();
}

function read(name: string): string {
	return readFileSync(path.join(FOLDER, name), 'utf8');
}

/** Without what is measured, and what is another on another kernel or after an update. */
function timeless(text: string): string {
	return text
		.replaceAll(/\d+(?:\.\d+)? m?s\b/g, '# s')
		.replaceAll(/[█·]{20,}/g, '#')
		.replaceAll(/(iptables:?|Linux|kernel|nft) [\d.]+\S*/g, '$1 #')
		.replaceAll(/This kernel .*/g, 'This kernel #');
}
