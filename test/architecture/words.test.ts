import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {parseSync} from 'vite';
import {describe, expect, test} from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * Words of our own for what the trade has words for, and what a text says instead. Texts are for readers who are
 * tired, and whose English is plain.
 */
const NOT_ON_SCREEN: ReadonlyArray<readonly [RegExp, string]> = [
	[/\b(?:lets?|letting|be let) (?:\w+ ){0,2}in\b/i, 'allow, open'],
	[/\bshuts?\b/i, 'closed, blocked'],
	[/\bturned away\b/i, 'blocked'],
	[/\bbeyond our reach\b/i, 'not controlled by this firewall'],
	[/\bneighbours?\b(?! discovery)/i, 'existing rules, or the name of the program'],
	[/\b(?:rules of others|theirs|(?:of|is|are) ours)\b/i, 'existing rules; of fw-wizard'],
	[/\b(?:becomes? of|became of|what goes)\b/i, 'keep, remove'],
	[/\b(?:taken?|takes|taking) over\b/i, 'imported'],
	[/\b(?:way in|doors?)\b/i, 'SSH access, console access'],
	[/\b(?:come in again|gets? in\b)/i, 'log in again'],
	[/\b(?:comes?|came|put) back\b/i, 'the old rules are restored'],
	[/\bthrow-away\b/i, 'isolated copy'],
	[/\bfound out\b/i, 'detected, not known'],
	[/\bdialogues?\b/i, 'protocol check'],
	[/\b(?:stands? ahead|decides? before)\b/i, 'is evaluated first'],
	[/\bright is\b/i, 'expected'],
	[/\bdo without\b/i, 'other ways'],
	[/\bgo(?:es)? on\b/i, 'continue'],
	[/\b(?:leaves?|left) the (?:wizard|program)|\bwizard was left\b/i, 'quit'],
	[/\b(?:vantage|lookout)\b/i, 'from anywhere, from 10.0.0.0/8'],
	[/\brules are reached\b/i, 'no earlier rule bypasses the firewall'],
	[/\brules are those of\b/i, 'the running rules match the policy'],
	[/\bkeeps? it\b|\bkept\b(?!:)/i, 'confirm, confirmed; saved'],
	[/\w!(?:\s|$)/, 'no exclamation mark'],
	[/\w\(e?s\)(?!\w)/, '1 port, 2 ports'],
	[
		/\b(?:NOT|NEVER|NOTHING|ALL|DIFFERENCE|FAIL|FAILED|WARNING|REHEARSAL|ERROR)\b/,
		'no capitals, but for terms',
	],
	[/(?<!=)\bE(?:NOENT|ACCES|PERM|NOSPC|ROFS|ISDIR|EXIST)\b/, 'no such file, permission denied'],
];

type Node = {readonly type: string; readonly [key: string]: unknown};

/** The texts of a source file that a person may read: literals of more than one word, and what stands in JSX. */
function textsIn(file: string): readonly string[] {
	const {program} = parseSync(file, readFileSync(file, 'utf8'));
	const found: string[] = [];
	const walk = (value: unknown) => {
		if (Array.isArray(value)) {
			value.forEach(walk);
		} else if (isNode(value)) {
			const {type} = value;
			const text =
				type === 'Literal' || type === 'JSXText'
					? value.value
					: type === 'TemplateElement'
						? (value.value as {readonly cooked: string}).cooked
						: undefined;
			// Scripts of sh have comments, and are no text for the screen.
			// A part of a template may be one word, with a space to what it stands beside.
			const isText = (type === 'TemplateElement' ? /\w\W*\s|\s\W*\w/ : /\S\s+\S/).test(`${text}`);
			if (typeof text === 'string' && isText && !/\n\}\n|\(\) \{/.test(text)) {
				found.push(text.replaceAll(/\s+/g, ' ').trim());
			}

			if (!type.startsWith('Import') && type !== 'TSLiteralType') {
				Object.values(value).forEach(walk);
			}
		}
	};
	walk(program);
	return found;
}

function isNode(value: unknown): value is Node {
	return typeof value === 'object' && value !== null && 'type' in value;
}

/** What a person reads, by the name of its file. An exported script has a command of its own,
 * "keep", and the journal on disk has the outcome "kept". */
const texts = readdirSync(path.join(ROOT, 'source'), {recursive: true, encoding: 'utf8'})
	.filter((name) => /\.tsx?$/.test(name))
	.flatMap((name) => textsIn(path.join(ROOT, 'source', name)).map((text) => ({name, text})));

/** The lines of the documents, less what is to be copied. */
const documents = ['readme.md', '.github/changelog.md'].flatMap((name) =>
	readFileSync(path.join(ROOT, name), 'utf8')
		.replaceAll(/^```[\s\S]*?^```$/gm, '')
		.replaceAll(/`[^`\n]+`/g, '``')
		.split('\n')
		.map((text) => ({name, text})),
);

describe('the words on the screen', () => {
	test('are found at all', () => {
		expect(texts.length).toBeGreaterThan(1500);
		expect(texts.map(({text}) => text)).toContain('Nothing was changed');
		expect(documents.length).toBeGreaterThan(50);
	});

	test.each(NOT_ON_SCREEN)('have no %s, but: %s', (word, instead) => {
		const wrong = [...texts, ...documents]
			.filter(({name}) => !(/^(?:export|change)\//.test(name) && instead.startsWith('confirm,')))
			.filter(({text}) => word.test(text))
			.map(({name, text}) => `${name}: ${text.slice(0, 200)}`);
		expect(wrong).toEqual([]);
	});
});
