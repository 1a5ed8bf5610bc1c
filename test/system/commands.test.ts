import {describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';

/** The server of the article "Block unsolicited inbound network traffic using iptables". */
const ARTICLE = ['--role', 'server', '--verdict', 'reject', '--open', '53/tcp', '--open', '53/udp'];

const IPV4 = `\
iptables -t filter -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -t filter -A INPUT -p icmp -j ACCEPT
iptables -t filter -A INPUT -i lo -j ACCEPT
iptables -t filter -A INPUT -m conntrack --ctstate INVALID -j DROP
iptables -t filter -A INPUT -p udp --sport 67 --dport 68 -j ACCEPT
iptables -t filter -A INPUT -p tcp --dport 53 -j ACCEPT
iptables -t filter -A INPUT -p udp --dport 53 -j ACCEPT
iptables -t filter -A INPUT -j REJECT
`;

const IPV6 = `\
ip6tables -t filter -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
ip6tables -t filter -A INPUT -p ipv6-icmp -j ACCEPT
ip6tables -t filter -A INPUT -i lo -j ACCEPT
ip6tables -t filter -A INPUT -m conntrack --ctstate INVALID -j DROP
ip6tables -t filter -A INPUT -d fe80::/10 -p udp --sport 547 --dport 546 -j ACCEPT
ip6tables -t filter -A INPUT -p tcp --dport 53 -j ACCEPT
ip6tables -t filter -A INPUT -p udp --dport 53 -j ACCEPT
ip6tables -t filter -A INPUT -j REJECT
`;

/** Policies that between them use every kind of rule. */
const POLICIES: Readonly<Record<string, readonly string[]>> = {
	"the article's server": ARTICLE,
	'a workstation that drops': ['--role', 'workstation', '--verdict', 'drop'],
	'every helper': [
		...['--role', 'server', '--verdict', 'reset', '--open', 'ftp,sip'],
		...[
			'ftp',
			'tftp',
			'irc',
			'sip',
			'pptp',
			'h323',
			'amanda',
			'sane',
			'netbios-ns',
			'snmp',
		].flatMap((name) => ['--helper', name]),
	],
	'all that an opening can say': [
		...[
			'--role',
			'server',
			'--verdict',
			'reset',
			'--log',
			'--open',
			'mdns',
			'--open',
			'22/tcp limit',
		],
		...['--open', '8000-8010/tcp from 10.0.0.0/8', '--open', '53 from 2001:db8::/32 limit'],
		...['--open', '5432/tcp on wg0', '--open', 'mdns on eth0', '--open', '60000-61000/udp'],
		...['--open', Array.from({length: 40}, (_, index) => `${2 * index + 1001}/tcp`).join(',')],
	],
};

describe.each(BACKENDS)('rules --format commands, typed into a shell, %s', (backend) => {
	const lab = useLab();

	test("prints the article's rules in its order, for both families", async () => {
		const host = await lab.host({backend});
		const text = await wizardDoes(host, 'rules', ...ARTICLE, '--format', 'commands');
		expect(text.replace(/^#.*\n/gm, '')).toBe(IPV4 + IPV6);
	});

	test.each(Object.entries(POLICIES))('loads what apply loads: %s', async (_, flags) => {
		const [typed, applied] = [await lab.host({backend}), await lab.host({backend})];
		const text = await wizardDoes(typed, 'rules', ...flags, '--format', 'commands');
		await typed.must('sh', ['-e'], {input: text});
		await wizardDoes(applied, 'apply', ...flags);
		for (const program of ['iptables', 'ip6tables']) {
			const commands = text.split('\n').filter((line) => line.startsWith(`${program} `));
			const rules = savedRules(await typed.must(`${program}-save`, []));
			expect(rules).toHaveLength(commands.length);
			expect(savedRules(await applied.must(`${program}-save`, []))).toEqual(rules);
		}
	});
});

/** The rules of a save, chain by chain, ours as if they stood in the built-in chains. */
function savedRules(text: string): readonly string[] {
	const rules = text
		.split('\n')
		.filter((line) => line.startsWith('-A ') && !line.includes('-j FW-WIZARD-'))
		.map((line) => line.replace('-A FW-WIZARD-', '-A '));
	const chainOf = (rule: string) => rule.split(' ')[1] ?? '';
	return rules.sort((a, b) => chainOf(a).localeCompare(chainOf(b)));
}
