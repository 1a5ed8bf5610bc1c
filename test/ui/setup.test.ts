import {expect, test} from 'vitest';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {reduceFlow} from '../../source/ui/state/reducer.ts';
import {type Flow, startFlow} from '../../source/ui/state/state.ts';
import {setupLines} from '../../source/ui/text/setup.ts';
import {socketOn} from '../_helpers/lab/sockets.ts';
import {factsKnown} from '../_helpers/ui/facts-known.ts';

const LISTENERS = [
	socketOn(22, {process: 'sshd'}),
	socketOn(80, {process: 'nginx'}),
	socketOn(443, {process: 'nginx'}),
	socketOn(21, {process: 'vsftpd'}),
];

function setup(openings: string, change: Partial<Flow> = {}): string {
	const start = startFlow(
		{role: 'server', openings: parseOpenings(openings, OWN_SERVICES)},
		['server', 'workstation'],
		OWN_SERVICES,
	);
	const known = factsKnown({listeners: LISTENERS});
	const flow = {...reduceFlow(start, {type: 'learn', known}), ...change};
	return setupLines(flow, 100, 30)
		.map(({text}) => text.trim().replaceAll(/ +/g, ' '))
		.join('\n');
}

test('ports of one program stand together, with what narrows them', () => {
	const text = setup('22/tcp limit from 10.0.0.0/8, 80/tcp, 443/tcp, 9000/tcp, 9100-9110/tcp');
	expect(text).toContain('Open 22/tcp from 10.0.0.0/8 limit sshd');
	expect(text).toContain('80, 443/tcp nginx the web');
	expect(text).toContain('9000, 9100-9110/tcp nothing listens');
	expect(text).toMatch(/^Closed 21\/tcp /m);
});

test('Helpers says who has decided', () => {
	expect(setup('22/tcp')).toContain('Helpers none ftp may need one: key h');
	expect(setup('22/tcp', {asksHelpers: 'always'})).toContain('Helpers none as you chose');
});
