import {expect, test} from 'vitest';
import type {PublishedHere} from '../../source/app/govern-published.ts';
import type {Published} from '../../source/existing/nat/published-ports.ts';
import {printOpening} from '../../source/policy/opening.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import type {Policy, PolicyPart} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {rowsOf} from '../../source/ui/state/ports.ts';
import {reduceFlow} from '../../source/ui/state/reducer.ts';
import {type Flow, startFlow} from '../../source/ui/state/state.ts';
import {describeOpen} from '../../source/ui/text/served.ts';
import {CONTAINER, socketOn} from '../_helpers/lab/sockets.ts';
import {appOpener, type OpenApp} from '../_helpers/ui/app.tsx';
import {plannerFor} from '../_helpers/ui/app-props.ts';
import {factsKnown} from '../_helpers/ui/facts-known.ts';

const openApp = appOpener();

const published = (port: number, more: Partial<Published> = {}): readonly Published[] => [
	{...CONTAINER, port, ...more},
	{...CONTAINER, port, ...more, families: [6], address: '::', to: '[fd00:d0c::2]:80'},
];
const WEB = published(80, {container: 'shop-web-1', image: 'nginx:1.27'});
const API = published(8080, {container: 'shop-api-1', image: 'ghcr.io/shop/api:2'});
const PORTS = [...WEB, ...API, {...CONTAINER, port: 9000, last: 9010, by: 'a DNAT rule'}];
const PROXIES = [80, 8080].map((port) =>
	socketOn(port, {process: 'docker-proxy', container: 'Docker'}),
);
const LISTENERS = [socketOn(22, {process: 'sshd', unit: 'ssh.service'}), ...PROXIES];

function knowing(more: Partial<PublishedHere> = {}) {
	const here: PublishedHere = {ports: PORTS, inner: undefined, cluster: undefined, ...more};
	return {
		here,
		known: factsKnown({
			...{listeners: LISTENERS, published: PORTS, publishing: here, protocols: []},
			recommendation: {role: 'server', reason: 'ports are published by Docker'},
		}),
	};
}

async function openPorts(
	preset: PolicyPart = {role: 'server'},
	more: Partial<PublishedHere> = {},
): Promise<OpenApp> {
	const {here, known} = knowing(more);
	const planApply = plannerFor(undefined, {published: here});
	const app = await openApp({
		columns: 120,
		rows: 40,
		preset,
		machine: {known, planApply, findExposure: async () => new Promise(() => {})},
	});
	await app.press('enter', 'enter', 'enter', 'enter');
	return app;
}

/** The lines of the list, without the rules beside them. */
function list(app: OpenApp): readonly string[] {
	const lines = app.lines().map((line) => line.slice(0, 58));
	const start = lines.findIndex((line) => /^(?:Open \(|No port is open)/.test(line));
	return lines
		.slice(start)
		.map((line) => line.trim().replaceAll(/ +/g, ' '))
		.filter((line) => line !== '' && !line.includes('Enter '));
}

test('published ports stand among all others, by the names of their containers', async () => {
	const app = await openPorts();
	expect(list(app)).toEqual([
		'Open (2): 1 listening, 0 closed; 3 published, 2 closed',
		'[x] 22/tcp open sshd',
		'[x] Published ports: open or closed as listed here',
		'[x] 80/tcp open shop-web-1 (nginx:1.27), D…',
		'[ ] 8080/tcp closed shop-api-1 (ghcr.io/shop/a…',
		'[ ] 9000-9010/tcp closed a DNAT rule, to 172.17.0.…',
	]);
	expect(app.screen()).toContain('mangle FORWARD -p tcp --ctorigdstport 80 -j RETURN');
	await app.press('down', 'down', 'down', 'down');
	const note = app.screen().replaceAll(/\s+/g, ' ');
	expect(note).toContain('shop-api-1 (ghcr.io/shop/api:2), Docker, at');
	await app.press('space', 'down', 'space');
	expect(list(app).slice(4)).toEqual([
		'[x] 8080/tcp open shop-api-1 (ghcr.io/shop/a…',
		'❯ [x] 9000-9010/tcp open a DNAT rule, to 172.17.0.…',
	]);
	await app.press('up', 'space', 'down', 'space');
	expect(list(app).slice(4)[0]).toContain('[ ] 8080/tcp closed');
});

test('one line leaves them to whoever publishes them, and takes them back', async () => {
	const app = await openPorts();
	await app.press('down', 'down', 'space');
	expect(list(app).slice(2)).toEqual([
		'[x] 80/tcp open a port of a container (Doc…',
		'[ ] 8080/tcp closed a port of a container (Doc…',
		'❯ [ ] Published ports: left to Docker and a DNAT rule: …',
		'! 80/tcp left to Docker: shop-web-1 (nginx:1.…',
		'! 8080/tcp left to Docker: shop-api-1 (ghcr.io/…',
		'! 9000-9010/tcp left to a DNAT rule: to 172.17.0.2:…',
	]);
	expect(app.screen()).toContain('+ 4 6  mangle FORWARD -p tcp --ctorigdstport 80 -j RETURN');
	await app.press('up');
	expect(app.screen()).not.toContain('ctorigdstport');
	await app.press('down', 'space');
	expect(app.screen()).toContain('- 4 6  mangle FORWARD -p tcp --ctorigdstport 80 -j RETURN');
	await app.press('down');
	expect(app.screen()).toContain('4 6  mangle FORWARD 14 fixed rules: answers, containers, I');
	expect(app.screen()).toContain('4 6  mangle FORWARD --ctstate DNAT -j DROP');
});

test('in a cluster they are left to it, and nothing takes them', async () => {
	const app = await openPorts({role: 'server', published: 'policy'}, {cluster: 'Kubernetes'});
	expect(app.screen()).toMatch(/! +Published ports: left to Kubernetes, which opens/);
	await app.press(...Array.from({length: 4}, () => 'down' as const));

	await app.pressInVain('space');
	expect(app.screen()).not.toContain('ctorigdstport');
});

const learned = (preset: PolicyPart, more: Partial<PublishedHere> = {}): Policy => {
	const start: Flow = startFlow(preset, ['server', 'workstation'], OWN_SERVICES);
	return reduceFlow(start, {type: 'learn', known: knowing(more).known}).policy;
};
const opened = (policy: Policy) => policy.openings.map(printOpening).join(', ');

test('the policy governs them where nothing else is said, and opens what is plainly for everybody', () => {
	const policy = learned({});
	expect(policy.published).toBe('policy');
	expect(opened(policy)).toBe('22/tcp, 80/tcp');
	expect(learned({}, {inner: ['docker0', 'lan-guests']}).inner).toEqual(['docker0', 'lan-guests']);
	expect(opened(learned({role: 'workstation'}))).toBe('');
	expect(learned({}, {ports: []}).published).toBeUndefined();
});

test('what was said or chosen before stays', () => {
	expect(learned({published: 'leave'}).published).toBeUndefined();
	const openings = parseOpenings('22/tcp, 8080/tcp', OWN_SERVICES);
	const chosen = learned({role: 'server', openings, published: 'policy'});
	expect(chosen.published).toBe('policy');
	expect(opened(chosen)).toBe('22/tcp, 8080/tcp');
	expect(learned({published: 'policy'}, {cluster: 'Kubernetes'}).published).toBeUndefined();
});

test('Result says in one line what is open then, by whom it is served', () => {
	const start: Flow = startFlow({}, ['server', 'workstation'], OWN_SERVICES);
	const flow = reduceFlow(start, {type: 'learn', known: knowing().known});
	expect(describeOpen(rowsOf(flow))).toBe('22/tcp (sshd), 80/tcp (shop-web-1)');
});

test('Review names what will be blocked, and each published port with what happens to it', async () => {
	const app = await openPorts();
	await app.press('enter');
	const lines = app.lines().map((line) => line.trim().replaceAll(/ +/g, ' '));
	expect(lines).toContain(
		'Will be blocked: 8080/tcp (shop-api-1, Docker) and 9000-9010/tcp (a DNAT rule)',
	);
	const start = lines.indexOf('now after');
	expect(lines.slice(start, start + 6)).toEqual([
		'now after',
		'22/tcp open sshd',
		'80/tcp open shop-web-1 (nginx:1.27)',
		'8080/tcp blocked shop-api-1 (ghcr.io/shop/api:2)',
		'9000-9010/tcp blocked to 172.17.0.2:80',
		'all others rejected',
	]);
	await app.press('tab');
	expect(app.screen()).toContain('FW-WIZARD-FORWARD, from FORWARD of table mangle');
});
