import {existsSync, readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {describe, expect, test} from 'vitest';

/** A folder may import from the lines above its own, and from no other folder on its line. */
const ORDER = [
	['lib'],
	['policy'],
	['services', 'ruleset'],
	['existing'],
	['host'],
	['testbed'],
	['proof', 'change'],
	['exposure', 'persistence'],
	['checklist', 'export'],
	['app'],
	['remote'],
	['ui', 'commands'],
	['cli.ts'],
];

/** These folders only compute, so that their tests need neither root nor a certain machine. */
const PURE = ['lib/', 'policy/', 'services/', 'ruleset/', 'existing/', 'ui/state/'];

type Import = {readonly target: string; readonly isType: boolean};

const SOURCE = new URL('../../source/', import.meta.url).pathname;
const files = readdirSync(SOURCE, {recursive: true, encoding: 'utf8'})
	.filter((file) => /(?<!\.d)\.tsx?$/.test(file))
	.sort();
const imports = new Map(files.map((file) => [file, readImports(file)]));

describe('the imports in source/', () => {
	test('run one way through the folders', () => {
		const wrong = files.flatMap((file) =>
			importsOf(file)
				.filter(({target}) => imports.has(target) && !mayImport(file, target))
				.map(({target}) => `${file} → ${target}`),
		);
		expect(wrong).toEqual([]);
	});

	// Types count: two files that need each other's types cannot be understood one by one.
	test('form no circle', () => {
		const reach = new Map(files.map((file) => [file, reachable([file])]));
		const circles = files.map((file) =>
			files.filter((other) => reach.get(file)?.has(other) && reach.get(other)?.has(file)),
		);
		const found = circles.filter(({length}) => length > 0).map((circle) => circle.join(' ↔ '));
		expect([...new Set(found)]).toEqual([]);
	});

	// The parts of the bundle are compiled by node:vm without a way to import anything later.
	test("take modules of Node's own at once, or by getBuiltinModule", () => {
		const late = files.filter((file) =>
			/\bimport\('node:/.test(readFileSync(`${SOURCE}${file}`, 'utf8')),
		);
		expect(late).toEqual([]);
	});

	test('give code that only computes no way to touch the machine', () => {
		const pure = files.filter((file) => PURE.some((folder) => file.startsWith(folder)));
		expect(pure.length).toBeGreaterThan(50);
		const loaded = [...pure, ...reachable(pure, ({isType}) => !isType)];
		expect([...new Set(loaded)].filter((target) => target.startsWith('node:'))).toEqual([]);
	});
});

/** The files in source/ and the modules that a file imports, statically or at run time. */
function readImports(file: string): readonly Import[] {
	const text = readFileSync(SOURCE + file, 'utf8');
	const statements = /^(?:import|export)\s(type\s)?(?:[^;']*?\sfrom\s)?'([^']+)'/gm;
	const calls = /\bimport\(\s*()'([^']+)'/g;
	return [...text.matchAll(statements), ...text.matchAll(calls)].map(([, type, module = '']) => ({
		target: module.startsWith('.') ? resolve(file, module) : module,
		isType: Boolean(type),
	}));
}

function resolve(from: string, module: string): string {
	const target = path.posix.join(path.posix.dirname(from), module);
	if (!existsSync(SOURCE + target)) {
		throw new Error(`${from} imports ${module}, which does not exist`);
	}

	return target;
}

function importsOf(file: string): readonly Import[] {
	return imports.get(file) ?? [];
}

function mayImport(file: string, target: string): boolean {
	const [from, to] = [rank(file), rank(target)];
	return file.split('/')[0] === target.split('/')[0] || (to !== -1 && to < from);
}

/** The line of ORDER on which the file's folder stands, -1 for a folder that stands on none. */
function rank(file: string): number {
	return ORDER.findIndex((folders) => folders.includes(file.split('/')[0] ?? ''));
}

/** All that the files import, through any number of files; they themselves only by a circle. */
function reachable(
	from: readonly string[],
	follow: (one: Import) => boolean = () => true,
): ReadonlySet<string> {
	const found = new Set<string>();
	const waiting = [...from];
	for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
		for (const {target} of importsOf(file).filter(follow)) {
			if (!found.has(target)) {
				found.add(target);
				waiting.push(target);
			}
		}
	}

	return found;
}
