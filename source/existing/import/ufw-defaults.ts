import type {Family} from '../../lib/network.ts';
import {linesOf} from './iptables-line.ts';
import type {Untranslatable} from './result.ts';
import type {Forwarding} from './ufw-framework.ts';
import type {UfwRule} from './ufw-user-rules.ts';

/** Reads `KEY="value"` lines as a shell does. */
export function readSettings(text: string): ReadonlyMap<string, string> {
	return new Map(
		[...text.matchAll(/^\s*(\w+)=(["']?)([^"'\n]*)\2\s*$/gm)].map(([, key = '', , value = '']) => [
			key,
			value.trim(),
		]),
	);
}

/** What ufw does where none of its rules decides, as far as openings cannot express it. */
export function describeDefaults(
	defaults: ReadonlyMap<string, string>,
	{forwards, keepsForward = false}: Forwarding,
	incoming: string,
): readonly Untranslatable[] {
	const words: Readonly<Record<string, string>> = {DROP: 'deny', REJECT: 'reject'};
	const outgoing = words[defaults.get('DEFAULT_OUTPUT_POLICY')?.toUpperCase() ?? ''];
	const routed = words[defaults.get('DEFAULT_FORWARD_POLICY')?.toUpperCase() ?? 'DROP'];
	return [
		...(incoming === 'ACCEPT'
			? [
					{
						text: 'default: allow (incoming)',
						why: 'it allows all but what is denied, and so do the openings; better open only what is needed',
					},
				]
			: []),
		...(outgoing === undefined
			? []
			: [
					{
						text: `default: ${outgoing} (outgoing)`,
						why: 'what leaves this machine is not filtered',
						effect: 'opens' as const,
						elsewhere: true as const,
					},
				]),
		...(routed !== undefined && forwards && !keepsForward
			? [
					{
						text: `default: ${routed} (routed)`,
						why: 'this machine forwards packets, and without ufw nothing stops them',
						effect: 'opens' as const,
						elsewhere: true as const,
					},
				]
			: []),
	];
}

/** How fw-wizard differs from ufw without opening a port, one sentence each. */
export function describeDifferences(
	rules: readonly UfwRule[],
	framework: readonly {readonly text: string}[],
	families: readonly Family[],
): readonly string[] {
	const discovers = framework.some(({text}) =>
		linesOf(text).some((line) => /-d (224\.0\.0\.251|ff02::fb)\b.*-j ACCEPT/.test(line)),
	);
	const incoming = rules.filter(({route, direction}) => !route && direction === 'in');
	return [
		...(incoming.some(({action}) => action === 'limit')
			? ['limit: ufw takes 5 new connections in 30 s, fw-wizard 6 at once and 6 a minute.']
			: []),
		...(incoming.some(({logs}) => logs)
			? ['What a rule of ufw logs is no longer logged: only blocked packets can be.']
			: []),
		...(discovers
			? ['ufw also allows local discovery (mDNS): choose mdns if this machine needs it.']
			: []),
		...(families.includes(6)
			? []
			: ['ufw blocks all of IPv6 (IPV6=no): the openings are for IPv4 only.']),
	];
}
