import {describe, expect, test} from 'vitest';
import {printOpening} from '../../source/policy/opening.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import type {GuestService} from '../../source/services/guest-service.ts';
import {rowsOf, togglePort} from '../../source/ui/state/ports.ts';
import {reduceFlow} from '../../source/ui/state/reducer.ts';
import {type Flow, startFlow} from '../../source/ui/state/state.ts';
import {rowNote, rowText} from '../../source/ui/text/ports.ts';
import {socketOn} from '../_helpers/lab/sockets.ts';
import {factsKnown} from '../_helpers/ui/facts-known.ts';

const NETWORK = {
	...{name: 'br-3f2a9b1c4d5e', addresses: ['172.18.0.1'], subnets: ['172.18.0.1/16']},
	...{pattern: 'br-+', ofGuests: true, network: 'app_default'},
};
const DATABASE: GuestService = {
	...{network: NETWORK, protocol: 'tcp', port: 5432, program: 'postgres', users: ['web', 'api']},
};

function openings({policy}: Flow): readonly string[] {
	return policy.openings.map(printOpening);
}

describe('a service for everybody that containers use', () => {
	const known = factsKnown({
		listeners: [socketOn(5432, {process: 'postgres'}), socketOn(22, {process: 'sshd'})],
		guests: [DATABASE],
	});
	const start = reduceFlow(startFlow({openings: []}, ['server', 'workstation'], OWN_SERVICES), {
		...{type: 'learn', known},
	});
	const inside = (flow: Flow) => rowsOf(flow).find(({kind}) => kind === 'inside');

	test('has a line of its own, which is not ticked', () => {
		const row = inside(start);
		expect(row && rowText(row).text).toMatch(
			/^\[ \] 5432\/tcp on br-\+ +closed +postgres, for containers of app_default$/,
		);
		expect(row && rowNote(row)).toContain('web and api used it');
		expect(openings(start)).toEqual([]);
	});

	test('is opened to their network alone, and closed again', () => {
		const open = togglePort(start, inside(start));
		expect(openings(open)).toEqual(['5432/tcp on br-+']);
		const listener = rowsOf(open).find(({key}) => key === '5432/tcp');
		expect(listener).toMatchObject({kind: 'listener', openings: []});
		expect(rowsOf(open).filter(({kind}) => kind === 'opening')).toEqual([]);
		expect(openings(togglePort(open, inside(open)))).toEqual([]);
	});

	test('has none where it is bound to their bridge: the line of the port opens it to them', () => {
		const bound = socketOn(5432, {process: 'postgres', address: '172.18.0.1'});
		const flow = reduceFlow(start, {
			...{type: 'learn', known: factsKnown({listeners: [bound], guests: [DATABASE]})},
		});
		expect(inside(flow)).toBeUndefined();
		expect(openings(togglePort(flow, rowsOf(flow)[0]))).toEqual(['5432/tcp on br-+']);
	});
});
