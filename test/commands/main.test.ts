import process from 'node:process';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import * as PATHS from '../../source/change/paths.ts';
import {main} from '../../source/commands/main.ts';
import {parsePolicy} from '../../source/policy/parse-policy.ts';
import {UNSAFE} from '../_helpers/samples/errors.ts';

let stdout = '';
let stderr = '';

beforeEach(() => {
	stdout = '';
	stderr = '';
	vi.stubGlobal('FW_WIZARD_VERSION', '1.2.3');
	vi.stubEnv('DEBUG', '');
	vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
		stdout += text;
		return true;
	});
	vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
		stderr += text;
		return true;
	});
});

afterEach(() => {
	vi.restoreAllMocks();
	vi.unstubAllGlobals();
	vi.unstubAllEnvs();
});

const loadWizard = async () => import('../../source/ui/start.ts');
const fwWizard = (...args: readonly string[]) => main(['node', 'fw-wizard', ...args], loadWizard);

describe('main', () => {
	it('prints its version and its help, and is done', async () => {
		expect(await fwWizard('--version')).toBe(0);
		expect(stdout).toBe('1.2.3\n');
		expect(await fwWizard('--help')).toBe(0);
		expect(await fwWizard('-h')).toBe(0);
		expect(await fwWizard('rules', '-h')).toBe(0);
		expect(stdout).toContain('Usage: fw-wizard rules');
		expect(stderr).toBe('');
	});

	it('names each file of its own in the manual page', async () => {
		expect(await fwWizard('man')).toBe(0);
		const files = Object.entries(PATHS).flatMap(([name, file]) =>
			/_FILE$|^CHANGES_DIR$|^WATCH_STATE_DIR$/.test(name) ? [String(file)] : [],
		);
		expect(files.length).toBeGreaterThan(10);
		expect(files.filter((file) => !stdout.includes(file.replaceAll('-', '\\-')))).toEqual([]);
	});

	it.each<[string, readonly string[], string]>([
		['an unknown command', ['frobnicate'], "unknown command 'frobnicate'\nSee: fw-wizard --help\n"],
		['an unknown option', ['rules', '--roll', 'server'], '--roll'],
		['an option without its value', ['rules', '--role'], '--role'],
		[
			'a word too many',
			['rules', '--role', 'server', '22/tcp'],
			'There is a word too many\nSee: fw-wizard help rules\n',
		],
		[
			'a missing word',
			['export'],
			"missing required argument 'form'\nSee: fw-wizard help export\n",
		],
		['a word that is none of those', ['help', 'me'], "'me' is no command\nChoose one of: rules, "],
		['a command that is none', ['rulez'], "unknown command 'rulez'\nDid you mean rules?\n"],
		[
			'a flag before the command',
			['--open', '80', 'rules', '--role', 'server'],
			'--open stands before',
		],
		[
			'another flag before the command',
			['--confirm-within', '30', 'apply', '--role', 'server'],
			'--confirm-within stands before the command',
		],
		['a flag that is not, before the command', ['--no-open', 'rules'], '--no-open stands before'],
		['an option that is none', ['rules', '--rol', 'server'], 'Did you mean --role?'],
		[
			'a command of any characters',
			['\u001B[2J\n(Did you mean \u202E?)'],
			"unknown command '?[2J?",
		],
		[
			'a word of any characters',
			['rules', '--role', '\u001B[2J\nx'],
			"argument '?[2J?x' is invalid\n",
		],
		['no policy', ['rules'], 'No policy was given'],
		[
			'a bad role',
			['rules', '--role', 'router'],
			"argument 'router' is invalid\nChoose one of: workstation, server\n",
		],
		['a bad opening', ['apply', '--role', 'server', '--open', '0'], 'Port 0 does not exist'],
		[
			'a bad format',
			['rules', '--role', 'server', '--format', 'xml'],
			"argument 'xml' is invalid\nChoose one of: restore, commands, json\n",
		],
		['a file that is not there', ['apply', '--policy', '/nowhere'], 'cannot be read'],
	])('refuses %s with exit code 2 and two lines', async (_, args, message) => {
		expect(await fwWizard(...args)).toBe(2);
		expect(stdout).toBe('');
		expect(stderr).toContain(message);
		const lines = stderr.trimEnd().split('\n');
		expect(lines.every((line) => line !== '' && !UNSAFE.test(line))).toBe(true);
	});

	it('shows a stack only to those who ask', async () => {
		vi.stubEnv('DEBUG', '1');
		expect(await fwWizard('rules')).toBe(2);
		expect(stderr).toContain('    at ');
	});
});

describe('rules', () => {
	it('prints what iptables-restore loads', async () => {
		expect(await fwWizard('rules', '--role', 'server')).toBe(0);
		expect(stdout).toContain('# iptables-restore --noflush\n*filter\n:FW-WIZARD-INPUT - [0:0]\n');
		expect(stdout).toContain('-A FW-WIZARD-INPUT -p tcp --dport 22 -j ACCEPT\n');
		expect(stderr).toBe('');
	});

	it('prints plain commands, and the modules that helpers need', async () => {
		const args = ['rules', '--role', 'server', '--helper', 'ftp', '--format', 'commands'];
		expect(await fwWizard(...args)).toBe(0);
		const lines = stdout.split('\n');
		expect(lines).toContain('# Load at every boot as well: nf_conntrack_ftp');
		expect(lines).toContain('iptables -t filter -A INPUT -p tcp --dport 22 -j ACCEPT');
		expect(lines).toContain('iptables -t raw -A OUTPUT -p tcp --dport 21 -j CT --helper ftp');
		for (const line of lines) {
			expect(line).toMatch(/^(#.*|ip6?tables -t (filter|raw) -A [A-Z]+ .+|)$/);
		}
	});

	it.each([[['--json']], [['--format', 'json']], [['--format', 'JSON']]])(
		'prints JSON with %j: the policy, and each rule with its reason',
		async (format) => {
			expect(await fwWizard('rules', '--role', 'server', '--log', ...format)).toBe(0);
			const {policy, rules} = JSON.parse(stdout);
			expect(parsePolicy(JSON.stringify(policy), new Map())).toMatchObject({role: 'server'});
			expect(rules).toContainEqual({
				family: 'ipv4',
				table: 'filter',
				chain: 'FW-WIZARD-INPUT',
				rule: '-p tcp --dport 22 -j ACCEPT',
				part: 'opening',
				reason: 'You opened 22/tcp',
			});
			for (const rule of rules) {
				expect(Object.values(rule).every((value) => typeof value === 'string')).toBe(true);
			}
		},
	);
});
