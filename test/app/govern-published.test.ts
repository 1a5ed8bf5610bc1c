import {expect, test} from 'vitest';
import {governPublished, namePublished} from '../../source/app/govern-published.ts';
import {defaultPolicy} from '../../source/policy/policy.ts';
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
