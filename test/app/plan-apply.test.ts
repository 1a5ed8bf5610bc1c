import {describe, expect, test} from 'vitest';
import type {ApplyFacts, Connection} from '../../source/app/apply-facts.ts';
import type {ApplyRequest} from '../../source/app/apply-request.ts';
import {describeConnections} from '../../source/app/describe-connections.ts';
import {explainObstacle} from '../../source/app/obstacle.ts';
import {planApply} from '../../source/app/plan-apply.ts';
import {startChange} from '../../source/app/start-change.ts';
import {assertAsPlanned, planSnapshotCleanups} from '../../source/change/cleanup.ts';
import {KEEP_EXISTING} from '../../source/existing/cleanup-plan.ts';
import type {RulesSnapshot} from '../../source/existing/snapshot.ts';
import {HostError} from '../../source/lib/errors.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, type Policy} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {FACTS} from '../_helpers/samples/apply-facts.ts';
import {HAND_MADE} from '../_helpers/samples/existing-rules.ts';

const policyWith = (openings: string): Policy =>
	completePolicy({role: 'server', openings: parseOpenings(openings, OWN_SERVICES)});
const SSH = policyWith('22/tcp');
const NOTHING = completePolicy({role: 'workstation'});

const plan = (request: Partial<ApplyRequest> = {}, facts: Partial<ApplyFacts> = {}) =>
	planApply({policy: SSH, existing: KEEP_EXISTING, boot: 'none', ...request}, {...FACTS, ...facts});

const snapshotOf = (text: string, family: 4 | 6 = 4): RulesSnapshot => ({
	...{family, backend: 'nft', inUse: true, text},
	rules: parseSave(text, family),
});

test('holds a policy with the rule set that it means, for the families of the machine', () => {
	const both = plan({policy: policyWith('22/tcp, 53')});
	expect(both.policy).toEqual(policyWith('22/tcp, 53'));
	expect(both.ruleSet).toEqual(buildRuleSet(both.policy, {families: [4, 6]}));
	expect(both.obstacle).toBeUndefined();
	expect(plan({}, {families: [4]}).ruleSet.families.map(({family}) => family)).toEqual([4]);
});

describe('an obstacle', () => {
	const missingRight = new HostError('No right', 'Get it');
	const unsupported = new HostError('Does not last', 'Do it elsewhere');
	const all: Partial<ApplyFacts> = {
		...{missingRight, unsupported, iptables: undefined, root: false, owners: ['ufw']},
	};
	const without = (...names: ReadonlyArray<keyof ApplyFacts>): Partial<ApplyFacts> => ({
		...all,
		...Object.fromEntries(names.map((name) => [name, FACTS[name]])),
	});

	test.each([
		['no-right', all, 'No right'],
		['unsupported', without('missingRight'), 'Does not last'],
		['no-iptables', without('missingRight', 'unsupported'), 'iptables is not installed'],
		['not-root', without('missingRight', 'unsupported', 'iptables'), 'Only root can do this'],
		[
			'other-owner',
			without('missingRight', 'unsupported', 'iptables', 'root'),
			'ufw owns the firewall of this machine',
		],
	])('is the first of all that are there: %s', async (kind, facts, message) => {
		const stopped = plan({boot: undefined}, facts);
		expect(stopped.obstacle?.kind).toBe(kind);
		// What cannot be loaded can still be looked at.
		expect(stopped.ruleSet.families).toHaveLength(2);
		await expect(startChange(stopped, 60)).rejects.toThrow(message);
	});

	test('is no system that makes its rules anew, where the user sees to the boot', () => {
		expect(plan({boot: 'none'}, {unsupported}).obstacle).toBeUndefined();
		const saved = {unsupported, savedBoot: 'none'} as const;
		expect(plan({boot: undefined}, saved).obstacle).toBeUndefined();
		expect(plan({boot: 'systemd'}, saved).obstacle?.kind).toBe('unsupported');
	});

	test('is no firewall that is to be switched off', () => {
		const existing = {mode: 'keep', switchOff: ['ufw']} as const;
		expect(plan({existing}, {owners: ['ufw']}).obstacle).toBeUndefined();
		expect(plan({existing}, {owners: ['ufw', 'firewalld']}).obstacle).toMatchObject({
			kind: 'other-owner',
			owner: 'firewalld',
		});
	});

	test('gives an ordinary user the whole command that root can run', () => {
		const request = {
			policy: policyWith('22/tcp from 198.51.100.0/24'),
			existing: {mode: 'flush-input', switchOff: ['ufw']},
			boot: 'openrc',
		} as const;
		const {obstacle} = plan(request, {root: false});
		expect(obstacle && explainObstacle(obstacle, request).hint).toBe(
			"Run: fw-wizard apply --role server --verdict reject --open '22/tcp from 198.51.100.0/24' --existing flush-input --switch-off ufw --boot openrc",
		);
	});
});

describe('a lock-out', () => {
	const ssh = {protocol: 'tcp', first: 22, last: 22} as const;
	const session: ApplyFacts['session'] = {
		kind: 'remote',
		...{connection: 'mosh', client: '203.0.113.9', inInterface: 'eth0', accessPorts: [ssh]},
	};

	test('names the ports through which the user is connected and that would be closed', () => {
		expect(plan({policy: NOTHING}, {session}).lockouts).toEqual([ssh]);
		expect(plan({policy: policyWith('22/tcp from 198.51.100.0/24')}, {session}).lockouts).toEqual([
			ssh,
		]);
		expect(plan({policy: policyWith('22/tcp from 203.0.113.0/24')}, {session}).lockouts).toEqual(
			[],
		);
	});

	test('prevents a change that is confirmed at once, with the flags that help', () => {
		const imported = parseOpenings('8443/tcp', OWN_SERVICES);
		const request = {policy: NOTHING, existing: KEEP_EXISTING, atOnce: true, imported};
		const {obstacle} = plan(request, {session});
		expect(obstacle?.kind).toBe('lock-out');
		expect(obstacle && explainObstacle(obstacle, request)).toMatchObject({
			message: 'These rules block 22/tcp, through which you (203.0.113.9) are connected',
			hint: 'Add --open 8443/tcp --open 22/tcp, or try it with --confirm-within 60',
		});
		expect(plan({atOnce: true}, {session}).obstacle).toBeUndefined();
		expect(plan({policy: NOTHING}, {session}).obstacle).toBeUndefined();
	});

	test('is none at the console', () => {
		expect(plan({policy: NOTHING}, {session: {kind: 'console'}}).lockouts).toEqual([]);
	});
});

test('names the connections of others that would be cut off, and no other', () => {
	const from = (remoteAddress: string, localPort: number): Connection => ({
		...{state: 'established', localAddress: '192.0.2.1', remotePort: 40_000, uid: 0, inode: '1'},
		...{remoteAddress, localPort, stays: localPort === 22},
	});
	const stays = [from('198.51.100.7', 5432), from('203.0.113.9', 22), from('2001:db8::9', 22)];
	const ends = [from('203.0.113.9', 5432), from('2001:db8::9', 5432)];
	const policy = policyWith('22/tcp, 5432/tcp from 198.51.100.0/24');
	const connections = [...stays, ...ends];
	expect(plan({policy}, {connections}).cutOff).toEqual(ends);
	const many = Array.from({length: 6}, (_, index) => ({
		...from(`203.0.113.${index}`, 5432),
		...{program: 'post\u001bgres', stays: index > 0},
	}));
	expect(describeConnections(plan({policy}, {connections: many}))).toEqual([
		'These connections may end, install conntrack to keep them: post?gres with 203.0.113.0 on 5432/tcp',
		`These connections stay, and these rules block new ones: ${[1, 2, 3, 4].map((last) => `post?gres with 203.0.113.${last} on 5432/tcp`).join(', ')} and 1 more`,
	]);
	expect(plan({policy}, {connections, families: [4]}).cutOff).toEqual(ends.slice(0, 1));
});

describe('the rules of other programs', () => {
	const snapshots = [snapshotOf(HAND_MADE.iptables), snapshotOf(HAND_MADE.ip6tables, 6)];
	const flush = {mode: 'flush-input', switchOff: []} as const;

	test('are removed as far as was asked for', () => {
		const {cleanups} = plan({existing: flush}, {snapshots});
		expect(cleanups?.map(({cleanup}) => [cleanup.family, cleanup.emptied])).toEqual([
			[4, ['INPUT']],
			[6, ['INPUT']],
		]);
		expect(cleanups?.[0]?.cleanup.rules).toHaveLength(7);
		expect(cleanups?.[0]?.cleanup.rules).toContain('-A INPUT -i lo -j ACCEPT');
		expect(cleanups?.[0]?.snapshot).toBe(snapshots[0]);
	});

	test('are left alone unless that was asked for', () => {
		expect(plan({}, {snapshots}).cleanups).toEqual([]);
	});

	test('are not known until they were read', () => {
		expect(plan({existing: flush}).cleanups).toBeUndefined();
	});

	test('are not removed beyond what the plan showed', () => {
		const filter = {mode: 'flush-filter', switchOff: []} as const;
		const cleanupsOf = (text: string) => {
			const cleanups = planSnapshotCleanups([snapshotOf(text)], filter);
			return cleanups instanceof HostError ? [] : cleanups;
		};
		const shown = cleanupsOf(HAND_MADE.iptables.replaceAll('bad.hosts', 'f2b-sshd'));
		const later = (from: string, to: string) =>
			cleanupsOf(HAND_MADE.iptables.replaceAll('bad.hosts', 'f2b-sshd').replace(from, to));
		const loopback = '-A INPUT -i lo -j ACCEPT\n';
		expect(() => assertAsPlanned(shown, shown)).not.toThrow();
		expect(() => assertAsPlanned(shown, later(loopback, ''))).not.toThrow();
		// fail2ban bans and unbans addresses all the time.
		const banned = '-A f2b-sshd -s 192.0.2.66/32 -j DROP\n';
		expect(() => assertAsPlanned(shown, later('-A in-tcp', `${banned}-A in-tcp`))).not.toThrow();
		const added = '-A INPUT -s 192.0.2.66/32 -j DROP\n';
		expect(() => assertAsPlanned(shown, later(loopback, `${loopback}${added}`))).toThrow(
			'have changed since this change was planned',
		);
		expect(() => assertAsPlanned([], shown)).toThrow('have changed');
	});

	test('stay where another program needs them or nothing could restore them', () => {
		const docker = HAND_MADE.iptables.replaceAll('in-tcp', 'DOCKER');
		const needed = plan(
			{existing: {mode: 'flush-filter', switchOff: []}},
			{snapshots: [snapshotOf(docker)]},
		);
		expect(needed.obstacle).toMatchObject({
			kind: 'not-removable',
			error: {message: 'The filter table is not flushed while Docker needs its rules'},
		});
		const odd = HAND_MADE.iptables.replaceAll('in-tcp', "it's");
		expect(plan({existing: flush}, {snapshots: [snapshotOf(odd)]}).obstacle).toMatchObject({
			kind: 'not-removable',
			error: {message: "A chain has a name that cannot be restored safely: it's"},
		});
	});
});

/** The rules of our chain, as they stand together in a restore file. */
function ownRulesIn(text: string): string {
	return text
		.split('\n')
		.filter((line) => line.startsWith('-A FW-WIZARD-INPUT '))
		.join('\n');
}

describe('what the next boot loads', () => {
	const filesOf = (boot: ApplyRequest['boot']) => {
		const planned = plan({boot});
		return planned.obstacle === undefined ? planned.persistence.keep.files : {};
	};

	test('is the rule set of the plan', () => {
		const {ruleSet} = plan();
		for (const rules of ruleSet.families) {
			const {text, mode} = filesOf('none')['/etc/fw-wizard/restore'] ?? {};
			expect(mode).toBe(0o600);
			expect(text).toContain(ownRulesIn(printRestore(rules)));
		}
	});

	test('is loaded in the way that the user has chosen', () => {
		const unit = '/etc/systemd/system/fw-wizard.service';
		expect(filesOf('systemd')[unit]?.text).toContain('ExecStart');
		expect(filesOf('openrc')['/etc/init.d/fw-wizard']?.text).toContain('openrc-run');
		expect(filesOf('none')[unit] ?? null).toBeNull();
	});
});
