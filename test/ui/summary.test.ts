import {describe, expect, test} from 'vitest';
import {KEEP_EXISTING} from '../../source/existing/cleanup-plan.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {summarize} from '../../source/ui/text/summary.ts';

const POLICY = completePolicy({
	role: 'server',
	helpers: ['ftp'],
	openings: parseOpenings('53, 9100/tcp from 10.0.0.0/8', OWN_SERVICES),
	log: true,
});
const PLACE = {
	policy: POLICY,
	existing: KEEP_EXISTING,
	boot: 'systemd',
	watchedEvery: 300,
	address: '192.0.2.1',
	rehearsal: false,
};
const KEPT = {ok: true, message: 'Loaded. Confirmed as change 7.'} as const;

describe('what stands in the terminal after the wizard', () => {
	test('says what was done, where it is kept, how to undo it, and what to do next', () => {
		expect(summarize(KEPT, PLACE)).toEqual({
			exitCode: 0,
			text: [
				'Loaded. Confirmed as change 7.',
				'Open: 53, 9100/tcp from 10.0.0.0/8. The rest: reject, logged. Helpers: ftp.',
				'To undo it: fw-wizard undo',
				'Saved in /etc/fw-wizard, and loaded at boot by systemd.',
				'Watched after a boot, and every 5 minutes: fw-wizard watch on|off|status',
				'What to do next:',
				'  from another machine, its TCP ports, in about 2 minutes: nmap -sS -p- -T4 -oX scan.xml 192.0.2.1',
				'  here, with its result: fw-wizard prove --nmap scan.xml',
				'  after the next boot: fw-wizard check',
				'',
			].join('\n'),
		});
	});

	test('says that published ports are under the policy, where they are', () => {
		const policy = {...POLICY, published: 'policy' as const};
		expect(summarize(KEPT, {...PLACE, policy}).text).toContain(
			'The rest: reject, logged. The same holds for ports that containers publish. Helpers: ftp.',
		);
	});

	test('names a scan that nmap makes also of an IPv6 address', () => {
		const {text} = summarize(KEPT, {...PLACE, address: '2001:db8::1'});
		expect(text).toContain(': nmap -6 -sS -p- -T4 -oX scan.xml 2001:db8::1\n');
	});

	test('after a rehearsal says how to do it for real, in words that a shell reads', () => {
		const {text} = summarize(KEPT, {...PLACE, rehearsal: true});
		expect(text).toContain(
			"fw-wizard --role server --verdict reject --helper ftp --open 53 --open '9100/tcp from 10.0.0.0/8' --log\n",
		);
		expect(text).not.toContain('undo');
	});

	test('after a rehearsal says also what became of the rules of others', () => {
		const existing = {mode: 'flush-input', switchOff: ['ufw']} as const;
		const {text} = summarize(KEPT, {...PLACE, existing, rehearsal: true});
		expect(text).toContain('--log --existing flush-input --switch-off ufw\n');
	});

	test('does not say what is not known', () => {
		const unknown = {...PLACE, policy: undefined, boot: undefined, address: undefined};
		const {text} = summarize(KEPT, unknown);
		expect(text).not.toContain('undefined');
		expect(text).not.toContain('Let in');
		expect(text).toContain('nothing loads it at boot');
	});

	test.each([
		['looked' as const, 0, 'The checklist again: fw-wizard check\n'],
		[undefined, 130, 'Nothing was changed.\n'],
		[
			{ok: false, message: 'They are back', hint: 'As before', rolledBack: true} as const,
			4,
			'They are back. As before.\nTo try again: fw-wizard\n',
		],
		[
			{
				ok: false,
				message: 'Disk full',
				hint: 'Make room',
				rolledBack: false,
				unsure: true,
			} as const,
			3,
			'Disk full. Make room.\nTo see what is loaded: fw-wizard status\n',
		],
		[
			{ok: false, message: 'Refused', hint: 'See there', rolledBack: false} as const,
			130,
			'Nothing was changed.\n',
		],
	])('after %j ends with %i', (ending, exitCode, text) => {
		expect(summarize(ending, PLACE)).toEqual({exitCode, text});
	});
});
