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
import type {HelperName} from '../../source/policy/helpers.ts';
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
	// A stand-in for iptables: saves what the test says, and writes down what it is to load.
	program('tool', 'exit 1');
	program('tool-save', SAVE(folder));
	restoreProgram(`[ ! -e ${folder}/busy ] || { rm ${folder}/busy; exit 4; }`);
});

/** A stand-in for iptables-restore that does something else, after it has repeated the comments. */
function restoreProgram(text: string): void {
	const note = `[ -z "$text" ] || printf '%s\\n' "$text" | tee -a ${folder}/loaded | grep '^#'`;
	program('tool-restore', `text=$(cat)\n${note}\n{ ${text || ':'}\n} || exit\n${APPLY(folder)}`);
}

/** Adds the jumps of a restore file to what is saved from then on, and takes out the rules that it deletes. */
const APPLY = (to: string) => `cd ${to}
printf '%s\n' "$text" | while read -r word rest; do
	case "$word $rest" in
		'*'*) table=\${word#?}; [ -e "$table" ] || printf '%s\n' "$word" COMMIT >"$table" ;;
		'-A '[IOP]*' -j FW-WIZARD-'*) sed -i "/^COMMIT/i -A $rest" "$table" ;;
		'-D '*) sed -i "0,/^-A $rest\\$/{/^-A $rest\\$/d}" "$table" ;;
	esac
done`;

afterEach(() => {
	rmSync(folder, {recursive: true});
});

/** Prints the file of a table; with -c each rule behind its counters. */
const SAVE = (from: string) => `counters=
[ "$1" != -c ] || { counters='[7:77] '; shift; }
sed "s/^-A /$counters&/" "${from}/$2" 2>/dev/null || true`;

function program(name: string, text: string): void {
	writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}\n`);
	chmodSync(path.join(folder, name), 0o755);
}

const [withoutHelpers, withHelpers] = [rulesWith([]), rulesWith(['ftp'])];

function rulesWith(helpers: readonly HelperName[]): FamilyRules {
	const [rules] = buildRuleSet(completePolicy({helpers}), {families: [4]}).families;
	return rules ?? {family: 4, tables: []};
}

/** Runs the script, as `sh rollback MODE`, and gives what it had loaded, line by line. */
function rollBack(
	before: string,
	mode: readonly string[] = ['now'],
	after: FamilyRules = withoutHelpers,
) {
	const clock = path.join(folder, 'uptime');
	writeFileSync(clock, '100.00 0.00\n');
	const script = writeScript(before, after);
	writeFileSync(script, readFileSync(script, 'utf8').replaceAll('/proc/uptime', clock));
	const pass = `echo $(($(cut -d . -f 1 ${clock}) + $1)).00 0.00 >${clock}.new; mv ${clock}.new ${clock}`;
	const {status, stderr, slept} = runScript(script, mode, pass);
	return {
		status,
		stderr,
		slept,
		lines: linesOf(path.join(folder, 'loaded')).filter((line) => !line.startsWith('#')),
		state: readdirSync(folder).filter((name) => /^(pending|rolling|rolled-back|kept)$/.test(name)),
	};
}

/** Runs the script, as `sh rollback wait SECONDS`, with a command of sh for each time that it sleeps. */
function wait(seconds: number, meanwhile = ':') {
	const script = writeScript(OWN_IPV4, withoutHelpers);
	for (const [text, table = ''] of OWN_IPV4.matchAll(/^\*(\w+)$[\s\S]*?^COMMIT$/gm)) {
		writeFileSync(path.join(folder, table), `${text}\n`);
	}

	const {status, slept} = runScript(
		script,
		['wait', `${seconds}`],
		`${meanwhile}; command sleep $1`,
	);
	return {status, slept, files: readdirSync(folder)};
}

/**
 * Runs the script in a shell whose `sleep` notes the seconds and then runs a command of sh instead; but
 * for what it has put to sleep for later. The clock goes on by as many. In a session of its own, as it ends all that it has started.
 * @returns also the seconds of each sleep
 */
function runScript(script: string, mode: readonly string[], command: string) {
	const log = path.join(folder, 'slept');
	const sleep = `sleep() { case $mode-$1 in wait-1 | wait-0.* | now-* | fire-*) echo "$1" >>${log}; ${command} ;; *) command sleep $1 ;; esac\n}`;
	const text = `${sleep}\nset -- ${mode.join(' ')}\n. ${script}`;
	const words = ['--wait', 'sh', '-c', text];
	const {status, stderr} = spawnSync('setsid', words, {encoding: 'utf8', timeout: 60_000});
	return {status, stderr, slept: linesOf(log).map(Number)};
}

function linesOf(file: string): readonly string[] {
	return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}

/** @returns the path of the script that brings the rules back to what they were before */
function writeScript(before: string, after: FamilyRules): string {
	const script = path.join(folder, 'rollback');
	const text = printRollbackScript({
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
	});
	writeFileSync(script, text);
	return script;
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

/** The rules of the table filter now. */
function nowHas(...lines: readonly string[]): void {
	const save = ['*filter', ':INPUT ACCEPT [0:0]', ...lines, 'COMMIT', ''];
	writeFileSync(path.join(folder, 'filter'), save.join('\n'));
}

describe('the way back', () => {
	it('takes away what was not there before, jumps first, and nothing else', () => {
		nowHas('-A INPUT -p tcp -j f2b-sshd', `-A INPUT -j ${INPUT}`);
		expect(rollBack(FOREIGN_IPV4)).toEqual({
			status: 0,
			stderr: '',
			lines: ['*filter', `:${INPUT} - [0:0]`, `-D INPUT -j ${INPUT}`, `-X ${INPUT}`, 'COMMIT'],
			slept: [],
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
			slept: [],
			state: ['kept'],
		});
	});

	it('sleeps no longer than it is told, and rolls back then', () => {
		const {status, slept, files} = wait(2);
		expect({status, files}).toEqual({status: 0, files: expect.arrayContaining(['rolled-back'])});
		expect(slept[0]).toBe(1);
		expect(slept.reduce((sum, seconds) => sum + seconds)).toBeLessThanOrEqual(2);
	});

	it('waits no longer once the change is decided, and loads nothing then', () => {
		const {status, slept, files} = wait(600, 'mv pending kept');
		expect({status, slept}).toEqual({status: 0, slept: [1]});
		expect(files).not.toContain('loaded');
		expect(files).toContain('kept');
	});

	it('tries again when another program is at the rules, and then says that all is well', () => {
		writeFileSync(path.join(folder, 'busy'), '');
		const {status, state, slept, lines} = rollBack(small([], 0));
		expect({status, state, slept}).toEqual({status: 0, state: ['rolled-back'], slept: [1]});
		expect(lines.filter((line) => line === '*filter')).toHaveLength(2);
	});

	it('says so when it cannot, and can be run once more', () => {
		restoreProgram('exit 1');
		const {status, state, slept} = rollBack(small([], 0));
		expect({status, state, slept}).toEqual({status: 1, state: ['rolling'], slept: [1, 1, 1]});
		restoreProgram('exit 0');
		expect(rollBack(small([], 0))).toMatchObject({status: 0, state: ['rolled-back']});
	});

	it('does not give up as the watchdog: nobody else would try it again', () => {
		restoreProgram(`echo >>${folder}/tries; [ $(wc -l <${folder}/tries) -gt 3 ]`);
		const {status, state, slept} = rollBack(small([], 0), ['fire']);
		expect({status, state}).toEqual({status: 0, state: ['rolled-back']});
		expect(slept).toEqual([1, 1, 1, 1]);
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
			'tool-save',
			`echo >>${folder}/asked; [ $(wc -l <${folder}/asked) -gt 9 ] || exit 1; ${SAVE(folder)}`,
		);
		nowHas(`-A INPUT -j ${INPUT}`);
		const {status, lines} = rollBack(small([], 1));
		expect(status).toBe(0);
		expect(lines).toEqual(['*filter', `:${INPUT} - [0:0]`, 'COMMIT']);
	});
});
