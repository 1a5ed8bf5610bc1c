import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {serve} from '../_helpers/lab/pair.ts';
import {logIn, type SshServer, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';
import {type Terminal, useTerminals} from '../_helpers/terminal/terminal.ts';
import {COUNTDOWN} from '../_helpers/terminal/walk.ts';
import {dockerRules} from '../system/containers.ts';

const PROGRAM = `${process.execPath} ${CLI}`;
const REVIEW = '[Summary]';
/** What Proof says once all packets are sent, and Apply before anything is loaded. */
const PROVEN = /packets in/;
const APPLY = 'Load these rules now?';
const TYPED = {ssh: 'ssh from 10.0.0.0/8', database: '5432/tcp from 10.0.0.0/8'} as const;

/** Counts the keys that are pressed, and the logins that are made. */
class Walk {
	keys = 0;
	logins = 0;
	readonly terminal: Terminal;

	constructor(terminal: Terminal) {
		this.terminal = terminal;
	}

	async press(key: 'enter' | 'down', next: string | RegExp): Promise<string> {
		this.keys += 1;
		this.terminal.press(key);
		return this.terminal.waitFor(next);
	}

	async type(text: string, next: string | RegExp): Promise<string> {
		this.keys += text.length;
		this.terminal.type(text);
		return this.terminal.waitFor(next);
	}

	/** A proof on a busy machine takes longer than a frame may. */
	async #proven(tries = 4): Promise<void> {
		try {
			await this.terminal.waitFor(PROVEN);
		} catch (error) {
			if (tries === 0) {
				throw error;
			}

			await this.#proven(tries - 1);
		}
	}

	/** From Welcome by its first choice, or from Ports, to a change that is kept. */
	async finish(logInAgain?: () => void): Promise<string> {
		await this.press('enter', REVIEW);
		await this.press('enter', 'Does it do what you chose?');
		await this.#proven();
		await this.press('enter', APPLY);
		await this.press('enter', COUNTDOWN);
		if (logInAgain !== undefined) {
			this.logins += 1;
			logInAgain();
			await this.terminal.waitFor(/New login from \S+ seen/);
		}

		return this.press('enter', /Loaded and read back/);
	}
}

/** The commonest machines, and how many keys and new logins they take from the start to a change that is kept. */
describe('the keys', {timeout: 200_000}, () => {
	const lab = useLab();
	const terminals = useTerminals();

	/** A server that is reached over SSH, with the wizard open on it. */
	const overSsh = async (prepare: (host: Host) => Promise<unknown>) => {
		const server: SshServer = await sshServer(lab, await sshClient(lab), {backend: 'nft'});
		await prepare(server.host);
		const walk = new Walk(logIn(terminals, server, PROGRAM));
		const welcome = await walk.terminal.waitFor('Review this setup');
		return {
			host: server.host,
			walk,
			welcome,
			again: () => void logIn(terminals, server, 'sleep 5'),
		};
	};
	const rules = async (host: Host) => host.must('iptables', ['-S', 'FW-WIZARD-INPUT']);

	test('of a web server: at most 5, and one login', async () => {
		const {host, walk, welcome, again} = await overSsh(async (host) =>
			serve(host, 'tcp:80', 'tcp:443', 'tcp:5432'),
		);
		expect(welcome).toMatch(/^ {2}Open +22\/tcp +\S+ +you are connected through it$/m);
		expect(welcome).toMatch(/^ +(?:80, 443|443, 80)\/tcp +node +the web$/m);
		expect(welcome).toMatch(/^ {2}Closed +5432\/tcp /m);
		await walk.finish(again);
		expect(await rules(host)).toContain('--dports 22,80,443');
		expect({keys: walk.keys, logins: walk.logins}).toEqual({keys: 5, logins: 1});
	});

	test('of a workstation, at its console: 5, and no login', async () => {
		const host = await lab.host({backend: 'nft'});
		// The terminal by another name, as the console of a machine bears one; in this view of it alone.
		const words = 'mount --bind "$(tty)" /dev/console && exec "$@" <>/dev/console >&0 2>&1';
		const walk = new Walk(
			terminals.start(['sh', '-c', words, 'sh', process.execPath, CLI], {
				...{enter: host.enter, variables: host.variables, columns: 120, rows: 40},
			}),
		);
		const welcome = await walk.terminal.waitFor('Review this setup');
		expect(welcome).toMatch(/^ {2}Role +Workstation /m);
		expect(welcome).toMatch(/^ {2}Open +nothing /m);
		await walk.finish();
		expect(await rules(host)).not.toContain('--dport 22 ');
		expect({keys: walk.keys, logins: walk.logins}).toEqual({keys: 5, logins: 0});
	});

	test('of a container host: 5, and one login', async () => {
		const {host, walk, welcome, again} = await overSsh(async (host) =>
			host.must('iptables-restore', [], {input: dockerRules(4)}),
		);
		expect(welcome).toMatch(/8080\/tcp .*rarely public$/m);
		await walk.finish(again);
		expect(await rules(host)).toContain('--dport 22 ');
		expect({keys: walk.keys, logins: walk.logins}).toEqual({keys: 5, logins: 1});
	});

	test('of ssh from one network alone: 8 and what is typed, and one login', async () => {
		const {host, walk, again} = await overSsh(async () => {});
		await walk.press('down', /> Change what is open/);
		await walk.press('enter', 'Which ports should be open?');
		// It takes the place of the port that is open to all.
		await walk.type(TYPED.ssh, TYPED.ssh);
		await walk.press('enter', /22\/tcp +open from 10\.0\.0\.0\/8/);
		await walk.finish(again);
		expect(await rules(host)).toMatch(/-s 10\.0\.0\.0\/8 -p tcp -m tcp --dport 22 /);
		const keys = walk.keys - TYPED.ssh.length;
		expect({keys, logins: walk.logins}).toEqual({keys: 8, logins: 1});
	});

	test('of a database for one network: 8 and what is typed, and one login', async () => {
		const {host, walk, again} = await overSsh(async (host) => serve(host, 'tcp:5432'));
		await walk.press('down', /> Change what is open/);
		await walk.press('enter', 'Which ports should be open?');
		await walk.type(TYPED.database, TYPED.database);
		await walk.press('enter', /5432\/tcp +open from 10\.0\.0\.0\/8/);
		await walk.finish(again);
		expect(await rules(host)).toMatch(/-s 10\.0\.0\.0\/8 -p tcp -m tcp --dport 5432 /);
		const keys = walk.keys - TYPED.database.length;
		expect({keys, logins: walk.logins}).toEqual({keys: 8, logins: 1});
	});
});
