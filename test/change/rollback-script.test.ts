import {spawnSync} from 'node:child_process';
import {
	chmodSync,
	existsSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {printRollbackScript} from '../../source/change/rollback-script.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import type {FamilyRules} from '../../source/ruleset/model.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {FOREIGN_IPV4, OWN_IPV4} from '../_helpers/samples/samples.ts';

const INPUT = 'FW-WIZARD-INPUT';

let folder = '';

beforeEach(() => {
	folder = mkdtempSync(path.join(os.tmpdir(), 'fww-rollback-'));
	writeFileSync(path.join(folder, 'pending'), '');
	// A stand-in for iptables: lists what the test says, and writes down what it is to load.
	program('tool', `cat "${folder}/$4-\${6:-INPUT}" 2>/dev/null || true`);
	program(
		'tool-restore',
		`cat >>${folder}/loaded; [ ! -e ${folder}/busy ] || { rm ${folder}/busy; exit 4; }`,
	);
});

afterEach(() => {
	rmSync(folder, {recursive: true});
});

function program(name: string, text: string): void {
	writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}\n`);
	chmodSync(path.join(folder, name), 0o755);
}

const [withoutHelpers, withHelpers] = [[], ['ftp'] as const].map((helpers) => {
	const [rules] = buildRuleSet(completePolicy({helpers}), {families: [4]}).families;
	return rules ?? {family: 4 as const, tables: []};
});

/** Runs the script, as `sh rollback MODE`, and gives what it had loaded, line by line. */
function rollBack(
	before: string,
	mode: readonly string[] = ['now'],
	after: FamilyRules = withoutHelpers ?? {family: 4, tables: []},
) {
	const script = path.join(folder, 'rollback');
	writeFileSync(
		script,
		printRollbackScript({
			id: 7,
			folder,
			journal: path.join(folder, 'journal'),
			families: [
				{
					before: {text: before, rules: parseSave(before, 4)},
					after,
					program: path.join(folder, 'tool'),
				},
			],
			tell: false,
		}),
	);
	const {status, stderr} = spawnSync('sh', [script, ...mode], {encoding: 'utf8'});
	const loaded = path.join(folder, 'loaded');
	return {
		status,
		stderr,
		lines: existsSync(loaded) ? readFileSync(loaded, 'utf8').trimEnd().split('\n') : [],
		state: readdirSync(folder).filter((name) => /^(pending|rolling|rolled-back|kept)$/.test(name)),
	};
}

/** A save with our INPUT chain alone. */
function small(rules: readonly string[], jumps: number): string {
	return [
		'*filter',
		':INPUT DROP [5:300]',
		`:${INPUT} - [0:0]`,
		'-A INPUT -p tcp -m tcp --dport 22 -j f2b-sshd',
		...Array.from({length: jumps}, () => `-A INPUT -j ${INPUT}`),
		...rules.map((rule) => `-A ${INPUT} ${rule}`),
		'COMMIT',
		'',
	].join('\n');
}

/** What iptables -S INPUT says now. */
function nowHas(...lines: readonly string[]): void {
	writeFileSync(path.join(folder, 'filter-INPUT'), ['-P INPUT ACCEPT', ...lines, ''].join('\n'));
}

describe('the way back', () => {
	it('takes away what was not there before, jumps first, and nothing else', () => {
		nowHas('-A INPUT -p tcp -j f2b-sshd', `-A INPUT -j ${INPUT}`);
		expect(rollBack(FOREIGN_IPV4)).toEqual({
			status: 0,
			stderr: '',
			lines: ['*filter', `:${INPUT} - [0:0]`, `-D INPUT -j ${INPUT}`, `-X ${INPUT}`, 'COMMIT'],
			state: ['rolled-back'],
		});
	});

	it('takes away every rule that leads to a chain that goes, whoever made it', () => {
		const others = ['-A INPUT -p tcp -m comment --comment "mine too" -j', '-A other -i eth0 -g'];
		nowHas(`-A INPUT -j ${INPUT}`, ...others.map((rule) => `${rule} ${INPUT}`), '-A INPUT -j DROP');
		expect(rollBack(FOREIGN_IPV4).lines).toEqual([
			...['*filter', `:${INPUT} - [0:0]`, `-D INPUT -j ${INPUT}`],
			...others.map((rule) => `${rule.replace('-A', '-D')} ${INPUT}`),
			...[`-X ${INPUT}`, 'COMMIT'],
		]);
	});

	it('looks at each table that the change was to touch', () => {
		expect(rollBack('', ['now'], withHelpers).lines).toEqual([
			...['*filter', `:${INPUT} - [0:0]`, `-X ${INPUT}`, 'COMMIT'],
			...['*raw', ':FW-WIZARD-OUTPUT - [0:0]', '-X FW-WIZARD-OUTPUT'],
			...[':FW-WIZARD-PREROUTING - [0:0]', '-X FW-WIZARD-PREROUTING', 'COMMIT'],
		]);
	});

	it('puts every word of our rules back, those that others added included', () => {
		const rules = [
			'-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
			'! -s 10.0.0.0/8 -m comment --comment "a \\"b\\" $HOME `id` -A INPUT" -j LOG --log-prefix "x: "',
			'-m string --string "FW-WIZARD-END\'" --algo bm -g other',
		];
		nowHas(`-A INPUT -j ${INPUT}`);
		expect(rollBack(small(rules, 1)).lines).toEqual([
			'*filter',
			`:${INPUT} - [0:0]`,
			...rules.map((rule) => `-A ${INPUT} ${rule}`),
			'COMMIT',
		]);
	});

	it('gives back exactly what was saved', () => {
		const isRule = (line: string) => line.startsWith('-A');
		const {lines} = rollBack(OWN_IPV4);
		const wanted = OWN_IPV4.split('\n').filter(isRule);
		expect([...lines.filter(isRule)].sort()).toEqual([...wanted].sort());
		for (const own of [INPUT, 'FW-WIZARD-OUTPUT', 'FW-WIZARD-PREROUTING']) {
			const isOwn = (line: string) => line.startsWith(`-A ${own} `);
			expect(lines.filter(isOwn)).toEqual(wanted.filter(isOwn));
		}
	});

	it.each([
		[0, 0, []],
		[1, 1, []],
		[1, 0, [`-A INPUT -j ${INPUT}`]],
		[0, 1, [`-D INPUT -j ${INPUT}`]],
		[2, 1, [`-A INPUT -j ${INPUT}`]],
		[1, 3, [`-D INPUT -j ${INPUT}`, `-D INPUT -j ${INPUT}`]],
	])('brings the jumps back to %i from %i', (before, now, jumps) => {
		nowHas(
			...Array.from({length: now}, () => `-A INPUT -j ${INPUT}`),
			`-A INPUT -i lo -j ${INPUT}`,
		);
		const {lines} = rollBack(small(['-j DROP'], before));
		expect(lines.filter((line) => line.includes(' INPUT '))).toEqual(jumps);
	});

	it("names no other program's rule or chain, nor a policy", () => {
		nowHas(`-A INPUT -j ${INPUT}`, '-A INPUT -j f2b-sshd');
		const {lines} = rollBack(FOREIGN_IPV4);
		for (const line of lines.filter((line) => !/^(\*(filter|raw)|COMMIT)$/.test(line))) {
			expect(line).toMatch(
				/^(:FW-WIZARD-[A-Z]+ - \[0:0\]|-X FW-WIZARD-[A-Z]+|-D INPUT -j FW-WIZARD-INPUT)$/,
			);
		}
	});
});

describe('the script', () => {
	it('does nothing once the change is kept', () => {
		rmSync(path.join(folder, 'pending'));
		writeFileSync(path.join(folder, 'kept'), '');
		expect(rollBack(OWN_IPV4, ['fire'])).toEqual({
			status: 0,
			stderr: '',
			lines: [],
			state: ['kept'],
		});
	});

	it('waits as long as it is told, and not when the change is decided meanwhile', () => {
		const started = performance.now();
		expect(rollBack(OWN_IPV4, ['wait', '1']).state).toEqual(['rolled-back']);
		expect(performance.now() - started).toBeLessThan(4000);
		expect(rollBack(OWN_IPV4, ['wait', '600'])).toMatchObject({status: 0});
		expect(performance.now() - started).toBeLessThan(6000);
	});

	it('tries again when another program is at the rules, and then says that all is well', () => {
		writeFileSync(path.join(folder, 'busy'), '');
		const {status, state, lines} = rollBack(small([], 0));
		expect({status, state}).toEqual({status: 0, state: ['rolled-back']});
		expect(lines.filter((line) => line === '*filter')).toHaveLength(2);
	});

	it('says so when it cannot, and can be run once more', () => {
		program('tool-restore', 'cat >/dev/null; exit 1');
		const {status, state} = rollBack(small([], 0));
		expect({status, state}).toEqual({status: 1, state: ['rolling']});
		program('tool-restore', 'cat >/dev/null');
		expect(rollBack(small([], 0))).toMatchObject({status: 0, state: ['rolled-back']});
	});

	it('does not give up as the watchdog: nobody else would try it again', () => {
		program(
			'tool-restore',
			`cat >/dev/null; echo >>${folder}/tries; [ $(wc -l <${folder}/tries) -gt 3 ]`,
		);
		const {status, state} = rollBack(small([], 0), ['fire']);
		expect({status, state}).toEqual({status: 0, state: ['rolled-back']});
		const journal = readFileSync(path.join(folder, 'journal'), 'utf8').trim().split('\n');
		expect(journal.map((line) => JSON.parse(line))).toMatchObject([
			{change: 7, who: 'watchdog', outcome: 'rolling back failed'},
			{change: 7, who: 'watchdog', outcome: 'rolled back'},
		]);
	});

	it('needs no disk for its texts: bash(1) writes here-documents to a file', () => {
		rollBack(OWN_IPV4);
		expect(readFileSync(path.join(folder, 'rollback'), 'utf8')).not.toContain('<<');
	});

	it('changes nothing as long as it does not know what is there', () => {
		program(
			'tool',
			`echo >>${folder}/asked; [ $(wc -l <${folder}/asked) -gt 1 ] && echo '-A INPUT -j ${INPUT}'`,
		);
		program(
			'tool-restore',
			`cat >${folder}/text; ! grep -q unreadable ${folder}/text || exit 2; cat ${folder}/text >>${folder}/loaded`,
		);
		const {status, lines} = rollBack(small([], 1));
		expect(status).toBe(0);
		expect(lines).toEqual(['*filter', `:${INPUT} - [0:0]`, 'COMMIT']);
	});
});
