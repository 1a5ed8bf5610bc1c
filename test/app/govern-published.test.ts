import {expect, test} from 'vitest';
import {adviseDirect, governPublished, namePublished} from '../../source/app/govern-published.ts';
import {defaultPolicy, type Policy} from '../../source/policy/policy.ts';
import type {InnerNetwork} from '../../source/services/guest-service.ts';
import {CONTAINER} from '../_helpers/lab/sockets.ts';

const SERVER = defaultPolicy('server');
const HERE = {ports: [CONTAINER], inner: undefined, cluster: undefined};

test('names published ports once for all families, with the containers behind them', () => {
	expect(
		namePublished([
			{...CONTAINER, container: 'web', image: 'nginx:1.27'},
			{...CONTAINER, families: [6], address: '::', container: 'web', image: 'nginx:1.27'},
			{...CONTAINER, port: 8081, last: 8089, by: 'a DNAT rule'},
		]),
	).toEqual(['8080/tcp (web, Docker)', '8081-8089/tcp (a DNAT rule)']);
});

test('ports are governed where something is published, as the policy before or the user says', () => {
	const nobody = {...HERE, ports: []};
	expect(governPublished(SERVER, HERE, undefined, undefined).published).toBe('policy');
	expect(governPublished(SERVER, nobody, undefined, undefined).published).toBeUndefined();
	expect(governPublished(SERVER, HERE, undefined, SERVER).published).toBeUndefined();
	expect(governPublished(SERVER, HERE, 'leave', undefined).published).toBeUndefined();
	expect(governPublished(SERVER, nobody, 'policy', SERVER).published).toBe('policy');
	const cluster = {...HERE, cluster: 'Kubernetes'};
	expect(governPublished(SERVER, cluster, undefined, undefined).published).toBeUndefined();
	expect(() => governPublished(SERVER, cluster, 'policy', undefined)).toThrow(/Kubernetes/);
});

test('a private network is told that containers are reached by published ports alone', () => {
	const docker: InnerNetwork = {
		...{name: 'docker0', pattern: 'docker0', ofGuests: true},
		...{addresses: ['172.17.0.1'], subnets: ['172.17.0.1/16']},
	};
	const virbr = {...docker, name: 'virbr0', pattern: 'virbr0', subnets: ['192.168.122.0/24']};
	const governed: Policy = {...SERVER, published: 'policy'};
	const networks = [docker, virbr];
	expect(adviseDirect(governed, networks, ['eth0', 'wg0', 'tailscale0'])).toEqual([
		'Hosts behind tailscale0, wg0 reach containers by their published ports alone, not by their own addresses (172.17.0.0/16).',
	]);
	expect(adviseDirect(governed, networks, ['eth0'])).toEqual([]);
	expect(adviseDirect(governed, networks)).toEqual([]);
	expect(adviseDirect(governed, [virbr], ['wg0'])).toEqual([]);
	expect(adviseDirect(SERVER, networks, ['wg0'])).toEqual([]);
});
