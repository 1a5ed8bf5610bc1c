import type {Host} from '../lab/namespaces.ts';

/** A policy that rules of other programs go against. */
export const KEPT_POLICY = [
	...['--role', 'server'],
	...['22/tcp', '80/tcp', '8443/tcp', '9000/tcp', '9001/tcp'].flatMap((one) => ['--open', one]),
];

type KeptRule = {
	readonly command: string;
	/** What is said of it when the policy is applied, after `Beside the policy: `. */
	readonly said: string;
	/** What the proof says. */
	readonly proven: string;
};

const ACCEPT = '-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT';
const DROP = '-A INPUT -p tcp -m tcp --dport 8443 -j DROP';
const REDIRECT = '-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080';
const CURE = '; to open it, open 8080 as well';
const DNS = 'its own UDP questions, as to DNS, are answered';
const FOREIGN = ', not part of this firewall';
const FIRST = `rule 1 of INPUT${FOREIGN}`;

/** Rules of each kind that a change keeps beside a backend's own: both backends, and native nftables. */
export function keptRules(backend: string): readonly KeptRule[] {
	const other = backend === 'nft' ? 'legacy' : 'nft';
	return [
		{
			command: `iptables ${ACCEPT}`,
			said: `3306/tcp is open from anywhere over IPv4: ${ACCEPT}, in filter`,
			proven: `3306/tcp passes from anywhere over IPv4: ${FIRST}: ${ACCEPT}, in filter`,
		},
		{
			command: `ip6tables ${DROP}`,
			said: `8443/tcp is closed from anywhere over IPv6: ${DROP}, in filter`,
			proven: `8443/tcp is closed from anywhere over IPv6: ${FIRST}: ${DROP}, in filter`,
		},
		{
			command: `iptables -t nat ${REDIRECT}`,
			said: `80/tcp is closed from anywhere over IPv4: ${REDIRECT}, in nat${CURE}`,
			proven: `80/tcp is closed from anywhere over IPv4: ${REDIRECT}, in nat${FOREIGN}${CURE}`,
		},
		{
			command: 'iptables -t raw -A PREROUTING -p udp --sport 53 -j NOTRACK',
			said: `no longer so over IPv4: ${DNS}: -A PREROUTING -p udp -m udp --sport 53`,
			proven: `IPv4: ${DNS}: timeout: -A PREROUTING -p udp -m udp --sport 53`,
		},
		{
			command:
				'nft add table inet guard { chain c { type filter hook input priority 5; tcp dport 9000 drop; }; }',
			said: '9000/tcp is closed from anywhere over IPv4 and IPv6: tcp dport 9000 drop, in inet guard, chain c',
			proven: `9000/tcp is closed from anywhere over IPv6: tcp dport 9000 drop, in inet guard, chain c${FOREIGN}`,
		},
		{
			command: `iptables-${other} -A INPUT -p tcp --dport 9001 -j DROP`,
			said: `9001/tcp is closed from anywhere over IPv4: -A INPUT -p tcp -m tcp --dport 9001 -j DROP, in filter, ${other} backend`,
			proven: `9001/tcp is closed from anywhere over IPv4: -A INPUT -p tcp -m tcp --dport 9001 -j DROP, in filter, ${other} backend${FOREIGN}`,
		},
	];
}

/** Runs a command of such a rule, as in a shell that takes braces and semicolons for words. */
export async function runKept(host: Host, command: string): Promise<void> {
	await host.must('sh', ['-c', command.replaceAll(/[;{}]/g, '\\$&')]);
}
