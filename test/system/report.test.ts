import {cpSync, readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import {XMLParser, XMLValidator} from 'fast-xml-parser';
import {beforeAll, describe, expect, test} from 'vitest';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {joinedPair, serve} from '../_helpers/lab/pair.ts';

const COMMENT = `<script>alert("x & 'y'")</script> |\`\${id}\` <img src=//x>`;
/** The name of a program has at most 15 bytes. */
const PROGRAM = '"><b>\u001B[31m&|`';
const FOREIGN = '\u001B]0;x\u0007</td><script src="http://x/">\u202E';
const FOREIGN_RULE = ['-p', 'tcp', '--dport', '99', '-m', 'comment', '--comment', FOREIGN].concat(
	'-j',
	'ACCEPT',
);
const OPENINGS = ['22/tcp', '8000-8010/tcp', '443/tcp from 192.0.2.1, 192.0.2.2, fd00::1'];

type Node = {readonly [name: string]: readonly Node[]} & {readonly '#text'?: string};

/** All elements of a page, each with its attributes and the text in it. */
function elementsOf(page: string) {
	const parser = new XMLParser({
		...{preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: ''},
		...{trimValues: false, htmlEntities: false},
	});
	const walk = (
		nodes: readonly Node[],
	): readonly {name: string; attributes: object; text: string}[] =>
		nodes.flatMap((node) => {
			const [name = ''] = Object.keys(node).filter((key) => key !== ':@');
			const children = name === '#text' ? [] : (node[name] ?? []);
			const inner = walk(children);
			const text = children.map((child) => child['#text'] ?? '').join('');
			return name === '#text'
				? []
				: [
						{
							name,
							attributes: (node[':@'] as object | undefined) ?? {},
							text: `${text}${inner.map((one) => one.text).join('')}`,
						},
						...inner,
					];
		});
	return walk(parser.parse(page) as readonly Node[]);
}

describe('fw-wizard report', () => {
	const lab = useLab();
	let host: Host;
	let file: string;

	beforeAll(async () => {
		({target: host} = await joinedPair(lab, 'nft'));
		file = path.join(host.folder, 'report.html');
		await host.ip(['route add default via 198.51.100.2', 'route add default via 2001:db8::2']);
		await serve(host, 'tcp:22');
		const hostile = path.join(host.folder, PROGRAM);
		cpSync('/usr/bin/socat', hostile);
		await host.start(
			'sh',
			['-c', 'echo ready; exec "$0" TCP-LISTEN:9000,fork PIPE', hostile],
			/ready/,
		);
	});

	test('needs a policy that was applied, and says so as JSON as well', async () => {
		const {status, stdout, stderr} = await wizard(host, 'report', '--json');
		expect({status, error: JSON.parse(stdout).error.message}).toEqual({
			...{status: 1, error: 'No policy is applied: there is nothing to report'},
		});
		expect(stderr).toContain('nothing to report');
		await wizardDoes(
			host,
			'apply',
			'--role',
			'server',
			...OPENINGS.flatMap((one) => ['--open', one]),
		);
		await wizardDoes(host, 'open', '9000/tcp', '--comment', COMMENT);
		await host.must('iptables', ['-I', 'INPUT', ...FOREIGN_RULE]);
	});

	test('is a page that has all of it, runs nothing and asks nobody for anything', async () => {
		const {status, stdout, stderr} = await wizard(host, 'report', '--html', file, '--prove');
		// The rule of another program is a fault.
		expect({status, stdout, stderr}).toEqual({status: 1, stdout: `Written: ${file}\n`, stderr: ''});
		expect(statSync(file).mode & 0o777).toBe(0o600);
		const page = readFileSync(file, 'utf8');
		expect(XMLValidator.validate(page)).toBe(true);
		const elements = elementsOf(page);
		const names = new Set(elements.map(({name}) => name));
		const known = 'body code h1 h2 head html meta p span style table tbody td th thead title tr';
		expect([...names].sort().join(' ')).toBe(known);
		const attributes = new Set(elements.flatMap((one) => Object.keys(one.attributes)));
		expect([...attributes].sort()).toEqual([
			'charset',
			'class',
			'content',
			'data-name',
			'http-equiv',
			'lang',
			'name',
			'scope',
		]);
		expect(elements).toContainEqual({
			name: 'meta',
			attributes: {
				'http-equiv': 'Content-Security-Policy',
				content: "default-src 'none'; style-src 'unsafe-inline'",
			},
			text: '',
		});
		const style = elements.find(({name}) => name === 'style')?.text ?? '';
		expect(style).not.toMatch(/url\(|@import|expression/i);
		for (const start of ['<script', '<img', '<b>', '</td><script', '\u001B', '\u0007', '\u202E']) {
			expect(page, start).not.toContain(start);
		}
	}, 120_000);

	test('has each opening, each rule with its reason, and each item of the checklist', async () => {
		const elements = elementsOf(readFileSync(file, 'utf8'));
		const decode = (text: string) =>
			text.replace(
				/&(lt|gt|quot|#39|amp);/g,
				(_, name) => ({lt: '<', gt: '>', quot: '"', '#39': "'"})[name as string] ?? '&',
			);
		const texts = new Set(elements.map(({text}) => decode(text)));
		const report = JSON.parse((await wizard(host, 'report', '--json')).stdout);
		expect(report.proof).toMatchObject({subject: 'running', proven: false});
		expect(report.well).toBe(false);
		for (const text of [
			...report.policy.openings.map((one: string) => one.replace(/ comment ".*"$/, '')),
			COMMENT,
			// Where the chains of fw-wizard are jumped to stands above their rules.
			...report.rules.flatMap(({part, rule, reason}: Record<string, string>) =>
				part === 'jump' ? [] : [rule, reason],
			),
		]) {
			expect(texts, text).toContain(text);
		}

		for (const {title} of report.items) {
			expect([...texts].some((one) => one.startsWith(title))).toBe(true);
		}

		expect([...texts].join('\n')).toContain('"><b>?[31m&|`');
		expect(report.exposure.rows).toContainEqual(
			expect.objectContaining({ports: [{first: 9000, last: 9000}], without: 'open', now: 'open'}),
		);
	}, 60_000);

	test('is the same as Markdown, safe for a terminal', async () => {
		const {stdout} = await wizard(host, 'report');
		expect(stdout).not.toMatch(/[^\P{C}\n]/u);
		expect(stdout).toContain('\n| `22/tcp` | node |  |\n');
		expect(stdout).toContain('## Rules and reasons');
		for (const line of stdout.split('\n').filter((one) => one.startsWith('|'))) {
			// No tag outside of code, and no cell more than its head has.
			expect(line.replaceAll(/`[^`]*`/g, '').replaceAll(/\\[<>|]/g, '')).not.toContain('<');
		}
	}, 60_000);

	test('is well where nothing is wrong, and the page is replaced whole', async () => {
		await host.must('iptables', ['-D', 'INPUT', ...FOREIGN_RULE]);
		await wizardDoes(host, 'close', '9000/tcp');
		const before = statSync(file).ino;
		await wizardDoes(host, 'report', '--html', file, '--prove');
		expect(statSync(file).ino).not.toBe(before);
		expect(readFileSync(file, 'utf8')).toContain('All well');
	}, 120_000);

	test.each([
		['a folder', 'mkdir "$0"'],
		['a link', 'ln -s /etc/fww-victim "$0"'],
		['a pipe', 'mkfifo "$0"'],
	])('does not replace %s', async (_, make) => {
		const other = path.join(host.folder, `other-${make.slice(0, 5)}`);
		await host.must('sh', ['-ec', make, other]);
		const {status, stderr} = await wizard(host, 'report', '--html', other);
		expect({status, stderr}).toEqual({
			...{status: 2, stderr: expect.stringContaining('is not a plain file: it is not replaced')},
		});
	});

	test('says where it cannot be written', async () => {
		const {status, stderr} = await wizard(host, 'report', '--html', '/nowhere/x.html');
		expect({status, stderr}).toEqual({
			status: 2,
			stderr: expect.stringMatching(/cannot be written: .*\/nowhere/),
		});
	});
});
