import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {SHELLS, type Shell} from '../../source/commands/options/words.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import {execute, succeed} from '../_helpers/lab/programs.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';

/** What is typed, and what a shell must offer then: all of it, or at least these. */
const TYPED: ReadonlyArray<readonly [string, readonly string[]]> = [
	['fw-wizard ru', ['rules']],
	['fw-wizard rules --ver', ['--verdict']],
	['fw-wizard rules --verdict re', ['reject', 'reset']],
	['fw-wizard --role serv', ['server']],
	['fw-wizard apply --open post', ['postgresql']],
	['fw-wizard prove --of ', ['boot', 'planned', 'running']],
	['fw-wizard check --tick way', ['way-in']],
	['fw-wizard confirm k', ['keep']],
	['fw-wizard completion ', ['bash', 'fish', 'zsh']],
	['fw-wizard rules --policy pol', ['policy file.json']],
	['fw-wizard apply --confirm-within ', []],
	// What is typed is never run.
	["fw-wizard rules --role $(touch$IFS'touched')", []],
	['fw-wizard rules --role=se', ['server']],
];

let folder = '';
const scriptOf = (shell: Shell) => path.join(folder, `completion.${shell}`);

beforeAll(async () => {
	folder = mkdtempSync(path.join(os.tmpdir(), 'fww-completion-'));
	for (const shell of SHELLS) {
		writeFileSync(scriptOf(shell), await succeed([process.execPath, CLI, 'completion', shell]));
	}

	writeFileSync(path.join(folder, 'policy file.json'), '{}');
});

afterAll(() => rmSync(folder, {recursive: true, force: true}));

describe('bash', () => {
	/** The words as bash splits them, with the last one under the cursor. */
	const PROGRAM = `
cd "$1"; . "$2"; shift 2
COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
# There is no line being edited whose options could be set.
compopt() { :; }
_fw_wizard
printf '%s\\n' "\${COMPREPLY[@]}"
ls
`;

	test.each(TYPED)('offers for "%s" %j', async (typed, offers) => {
		const words = typed.replace('=', ' = ').split(' ');
		const run = ['bash', '--norc', '-c', PROGRAM, 'bash', folder, scriptOf('bash'), ...words];
		const {status, stdout, stderr} = await execute(run);
		expect({status, stderr}).toEqual({status: 0, stderr: ''});
		const files = 'completion.bash\ncompletion.fish\ncompletion.zsh\npolicy file.json\n';
		const replies = stdout
			.slice(0, stdout.length - files.length)
			.split('\n')
			.filter(Boolean);
		expect(replies.sort()).toEqual(offers);
		expect(stdout.endsWith(files)).toBe(true);
	});
});

describe('fish', () => {
	test.each(TYPED)('offers for "%s" %j', async (typed, offers) => {
		const program = 'cd $argv[1]; source $argv[2]; complete -C $argv[3]; echo files:; ls';
		const run = ['fish', '--no-config', '-c', program, folder, scriptOf('fish'), typed];
		const {status, stdout} = await execute(run, {}, {HOME: folder, LC_ALL: 'C.UTF-8'});
		expect(status).toBe(0);
		// Each with its description behind a tab; what stands before "=" is repeated.
		const [lines = '', files] = stdout.split('files:\n');
		const replies = lines.split('\n').map((line) => line.split('\t')[0]?.replace(/^--\w+=/, ''));
		expect(replies.filter(Boolean).sort()).toEqual(offers);
		expect(files).not.toContain('touched');
	});
});

describe('zsh', () => {
	const terminals = useTerminals();

	test('completes in a terminal what is typed', async () => {
		const terminal = terminals.start(['zsh', '-f', '-i'], {
			columns: 120,
			variables: {HOME: folder, PROMPT: '%% '},
		});
		await terminal.waitFor('%');
		terminal.type(
			`cd ${folder}; PROMPT='ready> '; autoload -Uz compinit; compinit -D -u; source ${scriptOf('zsh')}\r`,
		);
		await terminal.waitFor(/^ready>/m);
		for (const [typed, offers] of TYPED) {
			terminal.type(`\u0015${typed}`);
			await terminal.waitFor(typed.trim());
			terminal.press('tab');
			const [only, ...others] = offers;
			const start = typed.slice(0, Math.max(typed.lastIndexOf(' '), typed.lastIndexOf('=')) + 1);
			if (only !== undefined && others.length === 0) {
				await terminal.waitFor(`ready> ${start}${only.replace(' ', '\\ ')}`);
			} else {
				await terminal.waitFor((screen) => offers.every((word) => screen.includes(word)));
			}
		}

		terminal.type('\u0015ls\r');
		expect(await terminal.waitFor(/^.*completion\.bash/m)).not.toMatch(/^.*\btouched *$/m);
	});
});

describe('the manual', () => {
	test('is roff without a warning, and names every command and flag of --help', async () => {
		const manual = await succeed([process.execPath, CLI, 'man']);
		const check = await execute(['groff', '-man', '-Tascii', '-ww', '-P-cbou'], {input: manual});
		expect({status: check.status, stderr: check.stderr}).toEqual({status: 0, stderr: ''});
		const help = await succeed([process.execPath, CLI, '--help']);
		const commands = [...help.matchAll(/^ {2}([a-z]\S*) /gm)].map(([, name]) => name ?? '');
		expect(commands).toEqual(expect.arrayContaining(['rules', 'apply', 'undo', 'man']));
		const helps = await Promise.all(
			commands.map(async (name) => succeed([process.execPath, CLI, name, '--help'])),
		);
		for (const name of commands) {
			expect(check.stdout).toContain(`fw-wizard ${name} [options]`);
		}

		for (const [flag] of [help, ...helps].join('\n').matchAll(/--[a-z-]+/g)) {
			expect(check.stdout).toContain(flag);
		}
	});
});
