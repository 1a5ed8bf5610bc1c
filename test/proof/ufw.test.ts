import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {translateUfw} from '../../source/existing/import/ufw.ts';
import {FAMILIES} from '../../source/lib/network.ts';
import {printOpening} from '../../source/policy/opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {type Passed, useSweeper} from './sweeper.ts';

/** What ufw is told, and what becomes of it. */
type Form = {
	readonly ufw: readonly string[];
	readonly openings: readonly string[];
	/** Rules that are named since openings cannot express them, or not all of them. */
	readonly named?: readonly string[];
	/** Of TCP and UDP less is let in than by ufw; by all others exactly the same. */
	readonly less?: true;
	/** Addresses that are let in by what is for all, and are banned by ufw. */
	readonly more?: readonly string[];
};

const FORMS: readonly Form[] = [
	{
		ufw: [
			'allow 22/tcp',
			'allow 53',
			'allow 80,443,8000:8010/tcp',
			'allow 60000:61000/udp comment mosh',
			'allow CIFS',
			'allow log-all 25/tcp',
			'allow proto tcp from any to any port 2525',
			'deny 8005/tcp',
		],
		openings: [
			...['22/tcp', '53', '80/tcp', '443/tcp', '8000-8010/tcp', '60000-61000/udp'],
			...['137/udp', '138/udp', '139/tcp', '445/tcp', '25/tcp', '2525/tcp'],
		],
	},
	{ufw: ['limit 22/tcp', 'allow 22'], openings: ['22/udp', '22/tcp limit']},
	{
		ufw: [
			'allow from 10.0.0.0/8 to any port 5432 proto tcp',
			'allow from 2001:db8:a::/48 to any port 5432 proto tcp',
			'limit from 10.9.9.9 to any app OpenSSH',
			'allow in on eth1 to any port 9100',
			'allow in on eth1 from 203.0.113.0/24 to any port 9200:9300 proto udp',
		],
		openings: [
			...['5432/tcp from 10.0.0.0/8, 2001:db8:a::/48', '9100 on eth1'],
			...['9200-9300/udp from 203.0.113.0/24 on eth1', '22/tcp from 10.9.9.9 limit'],
		],
	},
	{
		ufw: ['allow from 10.1.2.3', 'allow in on eth1'],
		openings: ['1-65535 from 10.1.2.3', '1-65535 on eth1'],
		named: ['allow from 10.1.2.3', 'allow in on eth1'],
	},
	{
		ufw: ['reject 113/tcp', 'deny 8005/tcp', 'allow 8000:8010/tcp', 'deny 8000:8020/tcp'],
		openings: ['8000-8004/tcp', '8006-8010/tcp'],
	},
	{
		ufw: [
			'deny from 10.1.0.0/16 to any port 22',
			'allow from 10.0.0.0/8 to any port 22 proto tcp',
			'allow 80/tcp',
			'deny from 10.1.2.3',
		],
		openings: [
			'22/tcp from 10.128.0.0/9, 10.64.0.0/10, 10.32.0.0/11, 10.16.0.0/12, 10.8.0.0/13, 10.4.0.0/14, 10.2.0.0/15, 10.0.0.0/16',
			'80/tcp',
		],
	},
	{
		ufw: ['allow 22/tcp', 'insert 1 deny from 10.1.2.3', 'prepend deny from 2001:db8:a::9'],
		openings: ['22/tcp'],
	},
	{
		ufw: ['allow 80/tcp', 'deny from 10.1.2.3', 'allow 22/tcp'],
		openings: ['80/tcp', '22/tcp'],
		named: ['deny from 10.1.2.3'],
		more: ['10.1.2.3'],
	},
	{
		ufw: ['deny in on eth1 to any port 22', 'allow 22/tcp', 'allow 80/tcp'],
		openings: ['80/tcp'],
		named: ['allow 22/tcp'],
		less: true,
	},
	{
		ufw: [
			'allow to 198.51.100.1 port 80 proto tcp',
			'allow proto udp from any port 53 to any port 4000',
			'deny proto udp from any port 53 to any port 5353',
			'allow 5353',
			'allow 443/tcp',
		],
		openings: ['5353/tcp', '443/tcp'],
		named: [
			'allow proto tcp to 198.51.100.1 port 80',
			'allow proto udp from any port 53 to any port 4000',
			'allow 5353',
		],
		less: true,
	},
	{
		ufw: [
			'allow proto esp from 10.0.0.0/8',
			'allow proto gre from any',
			'route allow in on eth1 out on eth0',
			'deny out 25/tcp',
			'reject out on eth1',
			'allow 1723/tcp',
		],
		openings: ['1723/tcp'],
		named: [
			...['allow proto esp from 10.0.0.0/8', 'allow proto gre'],
			...['route allow in on eth1 out on eth0', 'deny out 25/tcp', 'reject out on eth1'],
		],
	},
	{ufw: ['default reject', 'logging off', 'allow 22/tcp'], openings: ['22/tcp']},
	{
		ufw: ['default allow', 'deny 3306/tcp', 'reject in on eth1 to any port 111'],
		openings: ['1-110', '112-3305/tcp', '3307-65535/tcp', '112-65535/udp'],
		named: ['default: allow (incoming)'],
		less: true,
	},
];

describe('what ufw lets in', () => {
	const lab = useLab();
	const sweeper = useSweeper();

	test.each(FORMS)('$ufw', async ({ufw, openings, named = [], less, more = []}) => {
		const host = await lab.host();
		await tell(host, ufw);
		const translation = translateHere(host);
		const texts = translation.openings.map(printOpening);
		expect(texts).toEqual(openings);
		expect([...new Set(translation.untranslatable.map(({text}) => text))].sort()).toEqual(
			[...named].sort(),
		);
		const policy = completePolicy({role: 'server', ...translation});
		const planned = buildRuleSet(policy, {families: FAMILIES});
		const [ipv4 = '', ipv6 = ''] = planned.families.map((rules) => printRestore(rules));
		const ports = edges([...ufw, ...texts].join(' '));
		const before = await sweeper.sweep(
			{4: await host.must('iptables-save', []), 6: await host.must('ip6tables-save', [])},
			ports,
		);
		const after = await sweeper.sweep({4: ipv4, 6: ipv6}, ports);
		if (less) {
			expect(after).not.toEqual(before);
			expect(intersect(after, before)).toEqual(after);
		} else {
			const differing = Object.keys(after).filter(
				(place) => String(after[place]) !== String(before[place]),
			);
			expect(differing).toEqual(more.map((address) => `${address} on eth0`));
		}
	});
});

async function tell(host: Host, commands: readonly string[]): Promise<void> {
	const script = [...commands, '--force enable'].map((command) => `ufw ${command} >&2`).join('\n');
	await host.must('sh', ['-ec', script]);
}

function translateHere(host: Host) {
	const read = (file: string) => readFileSync(inView(host, file), 'utf8');
	return translateUfw({
		userRules: {4: read('/etc/ufw/user.rules'), 6: read('/etc/ufw/user6.rules')},
		conf: read('/etc/ufw/ufw.conf'),
		defaults: read('/etc/default/ufw'),
		framework: (
			[
				['before.rules', 4],
				['before6.rules', 6],
				['after.rules', 4],
				['after6.rules', 6],
			] as const
		).map(([name, family]) => ({
			name,
			family,
			text: read(`/etc/ufw/${name}`),
			shipped: read(`/usr/share/ufw/iptables/${name}`),
		})),
		forwards: false,
	});
}

/** What passes in both. */
function intersect(a: Passed, b: Passed): Passed {
	return Object.fromEntries(
		Object.entries(a).map(([place, ports]) => [
			place,
			ports.filter((port) => b[place]?.includes(port)),
		]),
	);
}

/** Ports at which something may change, with their neighbours, and some that nothing names. */
function edges(text: string): readonly number[] {
	const numbers = [...text.matchAll(/\d+/g)].map(([number]) => Number(number));
	const all = [...numbers, 22, 137, 445].flatMap((port) => [port - 1, port, port + 1]);
	return [...new Set([...all, 1, 40_000, 65_535])].filter((port) => port >= 1 && port <= 65_535);
}
