import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {execute} from '../_helpers/lab/programs.ts';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';
import {goOn, walkTo, walkToPorts} from '../_helpers/ui/journey.ts';

const ESC = '\u001B';
const COLOUR = new RegExp(`${ESC}\\[[\\d;:]*m`);
const PROGRAM = [process.execPath, CLI];
const REFUSAL = /^fw-wizard: The wizard needs a terminal.*\n\S[\s\S]*$/;

describe('the environment', () => {
	const {host, open, start} = useWizardHost();

	test.each(['', 'true'])('CI=%j still draws', async (CI) => {
		await walkTo(open({variables: {CI}}), 'What is this machine?');
	});

	test('a terminal that does not say its size gets a frame of the usual one', async () => {
		const words = ['sh', '-c', 'stty rows 0 columns 0 && exec "$@"', 'sh', ...PROGRAM];
		const terminal = start(words, {columns: 80, rows: 24});
		await walkTo(terminal, 'What is this machine?');
		terminal.press('ctrlC');
		expect(await terminal.ended).toBe(130);
	});

	test('NO_COLOR gives no colour', async () => {
		const plain = open({variables: {NO_COLOR: '1'}});
		await walkToPorts(plain);
		expect(plain.output()).not.toMatch(COLOUR);
		const coloured = open();
		await walkTo(coloured, 'What is this machine?');
		expect(coloured.output()).toMatch(COLOUR);
	});

	test('--no-color gives no colour', async () => {
		const plain = open({}, '--no-color');
		await walkToPorts(plain);
		expect(plain.output()).not.toMatch(COLOUR);
	});

	test.each([{LANG: 'C'}, {LANG: 'C.UTF-8', TERM: 'linux'}])(
		'%j gives ASCII',
		async (variables) => {
			const terminal = open({columns: 60, rows: 20, variables});
			await walkToPorts(terminal);
			terminal.type(
				'ssh, 5432/tcp from 2001:db8:1234:5678:9abc:def0:1:2 on a-long-name-123 limit\r',
			);
			await terminal.waitFor('Open (');
			terminal.press('enter');
			await terminal.waitFor('[Summary]');
			terminal.type('p');
			await terminal.waitFor('what happens to it after the change?');
			terminal.type('tcp 22 from 2001:db8:1234:5678:9abc:def0:1234:5678 on eth0');
			await terminal.waitFor('accepted');
			terminal.press('escape');
			await terminal.waitFor('[Summary]');
			await goOn(terminal, 'Does it do what you chose?');
			await terminal.waitFor(/\d %|packets in/);
			await goOn(terminal, 'Load these rules now?');
			terminal.press('enter');
			await terminal.waitFor('type keep');
			expect([...terminal.output()].filter((character) => character > '~')).toEqual([]);
			expect(terminal.output()).toContain('...');
		},
	);

	test('TERM=dumb is refused in two lines, with status 3', async () => {
		const terminal = open({variables: {TERM: 'dumb'}});
		expect(await terminal.ended).toBe(3);
		expect(terminal.screen()).toMatch(REFUSAL);
		expect(terminal.output()).not.toContain(ESC);
	});

	test('without any terminal it is refused in two lines, with status 3', async () => {
		const {enter, variables} = host();
		const {status, stdout, stderr} = await execute([...enter, ...PROGRAM], {}, variables);
		expect({status, stdout}).toEqual({status: 3, stdout: ''});
		expect(stderr).toMatch(REFUSAL);
	});

	test.each(['< /dev/null', '> /dev/null', '| cat'])(
		'with %s it is refused in two lines, with status 3',
		async (redirection) => {
			const terminal = start([
				'bash',
				'-o',
				'pipefail',
				'-c',
				`"$@" ${redirection}`,
				'bash',
				...PROGRAM,
			]);
			expect(await terminal.ended).toBe(3);
			expect(terminal.screen()).toMatch(REFUSAL);
		},
	);
});

describe('hostile text', () => {
	const hostile = `${ESC}]0;owned\u0007${ESC}[5mx\u202E`;
	const {host, open} = useWizardHost();

	test('in an argument is shown harmless', async () => {
		const terminal = open({}, '--open', hostile);
		expect(await terminal.ended).toBe(2);
		expect(terminal.screen()).toContain('is not a known service');
		for (const character of [ESC, '\u0007', '\u202E']) {
			expect(terminal.output()).not.toContain(character);
		}
	});

	test('in a service, an interface or a paste is shown harmless', async () => {
		const name = `e${ESC}[5mx`;
		const line = `\nowned${ESC}[5m 4444/tcp\n`;
		await host().must('sh', ['-c', 'cat >> /etc/services'], {input: line});
		await host().must('ip', ['link', 'add', 'name', name, 'type', 'veth', 'peer', 'name', 'other']);
		await host().must('ip', ['address', 'add', '192.0.2.9/24', 'dev', name]);
		await host().ip(['link set other up']);
		await host().must('ip', ['link', 'set', name, 'up']);
		const terminal = open({columns: 120});
		expect(await terminal.waitFor('Review this setup')).toContain('e?[5mx 192.0.2.9');
		await walkToPorts(terminal);
		terminal.paste('ownedX[5m');
		await terminal.waitFor('"ownedX[5m" is not a known service');
		terminal.paste(hostile);
		await terminal.waitFor('owned[5mx');
		for (const sign of [`${ESC}]`, `${ESC}[5m`, '\u0007', '\u202E']) {
			expect(terminal.output()).not.toContain(sign);
		}
	});
});
