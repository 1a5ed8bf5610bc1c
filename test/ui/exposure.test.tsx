import {describe, expect, test} from 'vitest';
import type {ApplyPlan} from '../../source/app/plan-apply.ts';
import type {Existing} from '../../source/existing/cleanup-plan.ts';
import type {Exposed, Exposure} from '../../source/exposure/model.ts';
import type {Policy} from '../../source/policy/policy.ts';
import {type AppOptions, appOpener, type OpenApp} from '../_helpers/ui/app.tsx';
import {expectFits, SIZES} from '../_helpers/ui/frames.ts';

const openApp = appOpener();

const SSHD: Exposed = {
	protocol: 'tcp',
	ports: [{first: 22, last: 22}],
	families: [4, 6],
	from: 'anywhere',
	through: 'INPUT',
	listens: true,
	process: 'sshd',
	before: 'open',
	after: 'open',
};
const REDIS: Exposed = {
	...SSHD,
	ports: [{first: 6379, last: 6379}],
	process: 'redis-server',
	after: 'shut',
};
const CONTAINER: Exposed = {
	...SSHD,
	ports: [{first: 8080, last: 8080}],
	families: [4],
	through: 'a container',
	process: 'docker-proxy',
	to: '172.17.0.2:80',
	by: 'Docker',
};
const EXPOSURE: Exposure = {
	rows: [SSHD, REDIS, CONTAINER],
	tried: true,
	unread: ['Tables of nftables are there and were not judged: inet f2b-table.'],
};

/** In Review, with the screen open. */
async function openExposure(options: AppOptions = {}): Promise<OpenApp> {
	const app = await openApp({
		columns: 100,
		rows: 30,
		machine: {findExposure: async () => EXPOSURE},
		...options,
	});
	await app.press('enter', 'enter', 'enter', 'enter', 'enter');
	await app.type('e');
	return app;
}

test('shows before and after side by side, and what passes INPUT by', async () => {
	const app = await openExposure();
	const lines = app.lines().map((line) => line.trim().replaceAll(/ +/g, ' '));
	const start = lines.indexOf('Port now after who');
	expect(lines.slice(start + 1, start + 6)).toEqual([
		'22/tcp open open sshd',
		'6379/tcp open shut redis-server',
		'8080/tcp IPv4 open open Docker, to 172.17.0.2:80, past INPUT',
		`Not judged: ${EXPOSURE.unread[0]}`,
		'Tried with packets to a copy of this machine.',
	]);
	await app.press('escape');
	expect(app.screen()).toContain('[Rules]');
});

test('is looked for once for a policy, and again for another', async () => {
	const asked: Array<{policy: Policy; existing: Existing}> = [];
	const findExposure = async ({policy, existing}: ApplyPlan) => {
		asked.push({policy, existing});
		return EXPOSURE;
	};
	const app = await openExposure({machine: {findExposure}});
	await app.press('tab', 'backTab');
	expect(app.screen()).toContain('redis-server');
	expect(asked).toHaveLength(1);
	await app.press('escape', 'escape');
	await app.type('53');
	await app.press('enter', 'enter');
	await app.type('e');
	expect(asked).toHaveLength(2);
	expect(asked[1]).toMatchObject({
		policy: {openings: [{first: 53, protocol: 'both'}]},
		existing: {mode: 'keep', switchOff: []},
	});
});

test('says why nothing is known, and stands in nobody’s way', async () => {
	const findExposure = async (): Promise<never> => {
		throw new Error('Only root can read the rules');
	};
	const app = await openExposure({machine: {findExposure}});
	expect(app.screen()).toContain('This was not found out: Only root can read the rules.');
	await app.press('enter');
	expect(app.screen()).toContain('Does it do what you chose?');
});

describe.each(SIZES)('%i columns, %i rows', (columns, rows) => {
	test('fits, and can be read to its end', async () => {
		const many = Array.from({length: 300}, (_, index) => ({
			...CONTAINER,
			ports: [{first: 1000 + index, last: 1000 + index}],
		}));
		const findExposure = async () => ({...EXPOSURE, rows: [...EXPOSURE.rows, ...many]});
		const app = await openExposure({columns, rows, machine: {findExposure}});
		expectFits(app.lines(), [columns, rows]);
		await app.press('end');
		expectFits(app.lines(), [columns, rows]);
		expect(app.screen().replaceAll(/\s+/g, ' ')).toContain('copy of this machine.');
	});
});
