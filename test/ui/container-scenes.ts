import type {Proof, View} from '../../source/proof/report.ts';
import type {HostView} from '../../source/ui/steps/step-props.ts';
import {CONTAINER} from '../_helpers/lab/sockets.ts';
import {plannerFor} from '../_helpers/ui/app-props.ts';
import {factsKnown} from '../_helpers/ui/facts-known.ts';
import {PROVEN, SERVER, socket, view} from './scenes.ts';

const SHOP = [
	{...CONTAINER, port: 80, container: 'shop-web-1', image: 'nginx:1.27'},
	{...CONTAINER, container: 'shop-api-1', image: 'ghcr.io/shop/api:2', to: '172.17.0.3:3000'},
	{...CONTAINER, port: 6379, container: 'shop-cache-1', image: 'redis:7', to: '172.17.0.4:6379'},
];
const PUBLISHING = {ports: SHOP, inner: undefined, cluster: undefined};

/** A server of which all but sshd is in containers. */
export const DOCKER_HOST: Partial<HostView> = {
	...SERVER,
	known: factsKnown({
		listeners: [
			socket(22, 'sshd', {unit: 'ssh.service'}),
			...SHOP.map(({port}) => socket(port, 'docker-proxy', {container: 'Docker'})),
		],
		published: SHOP,
		publishing: PUBLISHING,
		protocols: [],
		choices: [],
		recommendation: {role: 'server', reason: 'ports are published by Docker'},
	}),
	planApply: plannerFor(SERVER.remoteClient, {published: PUBLISHING}),
};

const inside = (family: 4 | 6): View => {
	const seen = view(family, 'containers of shop_default', [{first: 22, last: 22}]);
	return {...seen, vantagePoint: {...seen.vantagePoint, kind: 'inside', inInterface: 'docker0'}};
};
const WEB = [{first: 80, last: 80}];

/** Of a machine with containers: the web is open, the others are not. */
export const PROVEN_CONTAINERS: Proof = {
	...PROVEN,
	views: [
		{...view(4, 'anywhere', [{first: 22, last: 22}]), forwarded: {tcp: WEB, udp: []}},
		view(6, 'anywhere', [{first: 22, last: 22}, ...WEB]),
		...([4, 6] as const).map(inside),
	],
};
