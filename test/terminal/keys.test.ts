import {describe, expect, test, vi} from 'vitest';
import {readSaves} from '../_helpers/samples/saves.ts';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';
import {QUESTIONS, walkTo} from '../_helpers/ui/journey.ts';

const ESC = '\u001B';
const DOWN = `${ESC}[B`;
/** From Welcome to the first question. */
const TO_ROLE = `${DOWN}${DOWN}\r`;

describe('keys in a real terminal', () => {
	const {host, open} = useWizardHost();

	test('that share a packet each do their part', async () => {
		const terminal = open();
		await terminal.waitFor(QUESTIONS[0]);
		terminal.type(`${TO_ROLE}${DOWN}\r${DOWN}${DOWN}h${DOWN} \r443/tcp, 53\r\r`);
		await terminal.waitFor('[Summary]');
		terminal.press('tab');
		const review = await terminal.waitFor('[Rules]');
		expect(review).toContain('-p udp --dport 69 -j CT --helper tftp');
		terminal.press('end');
		const end = await terminal.waitFor('Everything else vanishes');
		expect(end).toContain('-p tcp -m multiport --dports 22,443,53 -j ACCEPT');
	});

	test('typed before the first frame do not disturb it', async () => {
		const [calm, hasty] = [open(), open()];
		hasty.type(`${TO_ROLE}${DOWN}`);
		await calm.waitFor(QUESTIONS[0]);
		calm.type(`${TO_ROLE}${DOWN}`);
		await calm.waitFor('❯ Server');
		// What is found out about the machine comes later, to each in its time.
		await vi.waitFor(() => expect(hasty.screen()).toBe(calm.screen()), {timeout: 25_000});
		expect(hasty.screen()).toContain('❯ Server');
	});

	test('put each character where the caret stands', async () => {
		const terminal = open();
		await walkTo(terminal, 'Which ports should be open?');
		terminal.type('443');
		terminal.press('left', 'left', 'left', 'left');
		terminal.type('8');
		await terminal.waitFor('Enter opens 8443\n');
		terminal.press('home', 'backspace', 'delete');
		await terminal.waitFor('Enter opens 443\n');
		terminal.press('end');
		terminal.type('8');
		expect(await terminal.waitFor('Enter opens 4438\n')).toContain('❯ 4438█');
	});

	test('pasted with line ends wait for Enter', async () => {
		const terminal = open();
		await walkTo(terminal, 'Which ports should be open?');
		terminal.paste('80/tcp\n443/tcp\n');
		expect(await terminal.waitFor('Enter opens 80/tcp, 443/tcp')).toContain('No port is open.');
		terminal.press('enter');
		await terminal.waitFor('Open (2):');
	});

	test('that are digits never choose, not even at Apply', async () => {
		const before = await readSaves(host());
		const terminal = open();
		await walkTo(terminal, 'What is this machine?');
		// The key after the digit shows when both were handled.
		terminal.type('2');
		terminal.press('down');
		expect(await terminal.waitFor('❯ Server')).toContain('What is this machine?');
		const next = open();
		await walkTo(next, 'Load these rules now?');
		next.type('1');
		next.press('down');
		expect(await next.waitFor('❯ Back')).toContain('Load these rules now?');
		expect(await readSaves(host())).toEqual(before);
	});

	test('that are j and k move in a list, are letters in a field, and choose nothing', async () => {
		const terminal = open({}, '--role', 'workstation');
		const role = await walkTo(terminal, 'What is this machine?');
		const first = /^❯ (Server|Workstation)/m.exec(role)?.[1];
		const second = /^ {2}(Server|Workstation)/m.exec(role)?.[1];
		terminal.type('j');
		await terminal.waitFor(`❯ ${second}`);
		terminal.type('k');
		expect(await terminal.waitFor(`❯ ${first}`)).toContain('What is this machine?');
		const next = open({}, '--role', 'workstation');
		await walkTo(next, 'Which ports should be open?');
		next.type('jk');
		expect(await next.waitFor('❯ jk█')).toContain('Which ports should be open?');
		next.press('escape');
		await next.waitFor('What happens to a blocked connection');
	});

	test('without a meaning do nothing: Ctrl-F1, Ctrl-D, the mouse, F1 of a console', async () => {
		const terminal = open();
		await walkTo(terminal, 'Which ports should be open?');
		terminal.type(`2${ESC}[1;5P\u0004${ESC}[<0;3;3M${ESC}[[A2`);
		expect(await terminal.waitFor('Enter opens 22\n')).toContain('❯ 22█');
	});

	test('whose sequence comes in two packets are one key', async () => {
		const terminal = open();
		await walkTo(terminal, 'What is this machine?');
		terminal.type(`${ESC}[`);
		terminal.type('B');
		expect(await terminal.waitFor('❯ Server')).toContain('What is this machine?');
	});
});
