import {describe, expect, it} from 'vitest';
import {execute} from '../_helpers/lab/programs.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {bareContainer} from './bare-container.ts';

const SERVER = ['--role', 'server', '--verdict', 'drop', '--open', '22/tcp'];
const run = async (...args: readonly string[]) => execute([...bareContainer(), ...args]);

describe('in a container without capabilities, iptables, ss and shell', () => {
	const {start} = useTerminals();

	it('says what is missing', async () => {
		const {status, stdout, stderr} = await run('facts', '--json');
		expect({status, stderr}).toEqual({status: 0, stderr: ''});
		const {root, netAdmin, iptables, nft, namespaces, missing} = JSON.parse(stdout);
		expect({root, netAdmin, iptables, nft, namespaces}).toEqual({
			...{root: true, netAdmin: false, iptables: 'absent', nft: 'absent'},
			namespaces: 'forbidden',
		});
		for (const lack of [/iptables is not/, /nft is not/, /ss is not/, /CAP_NET_ADMIN/]) {
			expect(missing.join('\n')).toMatch(lack);
		}
	});

	it('prints rules', async () => {
		const {status, stdout, stderr} = await run('rules', ...SERVER);
		expect({status, stderr}).toEqual({status: 0, stderr: ''});
		expect(stdout).toMatch(/^\*filter\n.* --dport 22 .*\nCOMMIT$/ms);
	});

	it('check says why not, with status 3', async () => {
		const {status, stdout, stderr} = await run('check');
		expect({status, stdout}).toEqual({status: 3, stdout: ''});
		expect(stderr).toMatch(/^[^\n]*iptables[^\n]*\n[^\n]+\n$/);
	});

	it('apply says why not, with status 3 and the rules in print', async () => {
		const {status, stdout, stderr} = await run('apply', ...SERVER, '--yes');
		expect(status).toBe(3);
		expect(stdout).toMatch(/^# iptables-restore --noflush\n\*filter\n.* --dport 22 /s);
		expect(stderr).toMatch(/^[^\n]*CAP_NET_ADMIN[^\n]*\n[^\n]+\n$/);
	});

	it('starts the wizard', async () => {
		const terminal = start(bareContainer());
		await terminal.waitFor(/iptables is not installed/);
		terminal.press('enter');
		await terminal.waitFor('You can look at rules, but not load them');
		await terminal.waitFor('Review this setup');
		terminal.press('enter');
		await terminal.waitFor('This is what changes');
	});
});
