import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {Command} from 'commander';
import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {
	hasPolicyFlags,
	type PolicyFlags,
	readPolicy,
	readPolicyPart,
	withPolicyOptions,
} from '../../source/commands/options/policy.ts';
import {policyFlags} from '../../source/policy/policy.ts';
import {policyToJson, printPolicy} from '../../source/policy/print-policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';
import {inputErrorOf} from '../_helpers/samples/errors.ts';

let folder = '';

beforeAll(() => {
	folder = mkdtempSync(path.join(os.tmpdir(), 'fww-policy-'));
});

afterAll(() => {
	rmSync(folder, {recursive: true});
});

function fileWith(text: string): string {
	const file = path.join(folder, 'policy.json');
	writeFileSync(file, text);
	return file;
}

/** The flags as commander reads them. */
function flagsOf(...args: readonly string[]): PolicyFlags {
	return withPolicyOptions(new Command())
		.exitOverride()
		.configureOutput({outputError: () => {}})
		.parse(args, {from: 'user'})
		.opts();
}

const read = (...args: readonly string[]) => readPolicy(flagsOf(...args), OWN_SERVICES);
const json = (...args: readonly string[]) => policyToJson(read(...args));

describe('readPolicy', () => {
	it('gives the same policy for the flags that a policy prints', () => {
		fc.assert(
			fc.property(policies(), (policy) => {
				expect(read(...policyFlags(policy))).toEqual(policy);
			}),
			{numRuns: 300},
		);
	});

	it('completes a role with what is recommended for it', () => {
		expect(json('--role', 'server')).toMatchObject({verdict: 'reject', openings: ['22/tcp']});
		expect(json('--role', 'workstation')).toMatchObject({verdict: 'reject', openings: []});
	});

	it('takes openings repeated and separated by commas, in place of the recommended', () => {
		const args = ['--role', 'server', '--open', 'dns,80/tcp', '--open', '443/tcp limit'];
		expect(json(...args).openings).toEqual(['53', '80/tcp', '443/tcp limit']);
	});

	it('takes groups of sources, from words and from files, and the last one of a name', () => {
		const file = path.join(folder, 'cdn.txt');
		writeFileSync(file, '# one a line\n192.0.2.0/24\n');
		const args = [
			'--role',
			'server',
			'--open',
			'443 from @cdn, @office',
			'--source',
			`cdn=${file}`,
		];
		const office = ['--source', 'office=::1', '--source', 'office=10.0.0.1, fd00::/8'];
		const found = json(...args, ...office);
		expect(found.openings).toEqual(['443 from @cdn, @office']);
		expect(found.sources).toEqual({
			cdn: {file, networks: ['192.0.2.0/24']},
			office: ['10.0.0.1', 'fd00::/8'],
		});
		const text = JSON.stringify({...found, sources: {...found.sources, cdn: {file}}});
		expect(json('--policy', fileWith(text))).toEqual(found);
		expect(json('--policy', fileWith(text), '--source', 'cdn=10.9.0.0/16').sources).toMatchObject({
			cdn: ['10.9.0.0/16'],
		});
	});

	it('takes no list of a group that is no regular file, too large, or writable by all', () => {
		const list = (name: string, text: string, mode = 0o644) => {
			const file = path.join(folder, name);
			writeFileSync(file, text);
			chmodSync(file, mode);
			return file;
		};
		const message = (file: string) =>
			inputErrorOf(() => read('--role', 'server', '--source', `a=${file}`)).message;
		expect(message('/dev/null')).toContain('/dev/null is no regular file');
		expect(message(folder)).toContain('is no regular file');
		expect(message('/nowhere')).toContain('/nowhere: no such file');
		expect(message(list('large', '#'.repeat(1e6 + 1)))).toContain('has more than 1 MB');
		expect(message(list('empty', '# none\n'))).toContain('The group a has no network');
		expect(message(list('bad', '::1\nfoo\n'))).toContain('bad, line 2: "foo"');
		if (process.geteuid?.() === 0) {
			expect(message(list('open', '::1\n', 0o646))).toContain('can be written by others than root');
		}
	});

	it('takes words in any case', () => {
		expect(json('--role', 'Server', '--verdict', 'DROP', '--helper', 'FTP')).toMatchObject({
			role: 'server',
			verdict: 'drop',
			helpers: ['ftp'],
		});
	});

	it('lets the last of --open and --no-open decide', () => {
		expect(json('--role', 'server', '--no-open').openings).toEqual([]);
		expect(json('--role', 'server', '--open', '80/tcp', '--no-open').openings).toEqual([]);
		expect(json('--role', 'server', '--no-open', '--open', '80/tcp').openings).toEqual(['80/tcp']);
	});

	it('lets flags come on top of a file, field by field', () => {
		const text = '{"version":1,"role":"server","verdict":"drop","helpers":["ftp"],"log":true}';
		const args = ['--policy', fileWith(text)];
		expect(json(...args)).toMatchObject({verdict: 'drop', helpers: ['ftp'], log: true});
		expect(json(...args, '--no-helper', '--no-log', '--open', 'ssh')).toEqual({
			version: 1,
			role: 'server',
			verdict: 'drop',
			helpers: [],
			openings: ['22/tcp'],
			log: false,
		});
	});

	it('reads back every policy from its file', () => {
		fc.assert(
			fc.property(policies(), (policy) => {
				expect(read('--policy', fileWith(printPolicy(policy)))).toEqual(policy);
			}),
			{numRuns: 50},
		);
	});

	it.each<[string, readonly string[], string]>([
		['nothing', [], 'No policy was given'],
		['no role', ['--open', '22/tcp'], 'No policy was given'],
		['no group', ['--role', 'server', '--source', 'a'], '"a" defines no group of sources'],
		['a bad group', ['--role', 'server', '--source', 'a=b.txt'], '"b.txt" is not an IP address'],
		['a bad opening', ['--role', 'server', '--open', 'ssh,70000'], 'Port 70000 does not exist'],
		[
			'a file that is not there',
			['--policy', '/nowhere/\u001B[2J'],
			'cannot be read: /nowhere/?[2J: no such file',
		],
		['a folder', ['--policy', '/'], 'cannot be read: /: it is a folder, not a file'],
	])('refuses %s', (_, args, message) => {
		expect(inputErrorOf(() => read(...args)).message).toContain(message);
	});

	it.each([
		['a role of none', ['--role', '']],
		['another role', ['--role', 'router']],
		['another verdict', ['--role', 'server', '--verdict', 'accept']],
		['two helpers in one', ['--role', 'server', '--helper', 'ftp,sip']],
		['an escape', ['--role', '\u001B[2J']],
	])('refuses %s with the words that are allowed', (_, args) => {
		expect(() => read(...args)).toThrow(/ is invalid\. Allowed choices are \w+, /);
	});

	it('refuses a file that is no policy', () => {
		const flags = flagsOf('--policy', fileWith('{"role": "server"}'));
		expect(inputErrorOf(() => readPolicy(flags, OWN_SERVICES)).message).toContain('"version"');
	});
});

describe('saysPolicy', () => {
	it('hears of what is not to be as well, lest another policy be taken', () => {
		expect(hasPolicyFlags({})).toBe(false);
		expect(([{open: false}, {helper: false}, {log: false}] as const).map(hasPolicyFlags)).toEqual([
			true,
			true,
			true,
		]);
	});
});

describe('readPolicyPart', () => {
	it('leaves out what is not said', () => {
		expect(readPolicyPart({}, OWN_SERVICES)).toEqual({});
		expect(readPolicyPart(flagsOf(), OWN_SERVICES)).toEqual({});
		expect(readPolicyPart(flagsOf('--no-helper', '--no-open', '--no-log'), OWN_SERVICES)).toEqual({
			helpers: [],
			openings: [],
			log: false,
		});
	});
});
