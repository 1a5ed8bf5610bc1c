import {normalizeAddress} from '../../lib/network.ts';
import {PROTOCOLS} from '../../policy/services.ts';
import type {FamilyRules, Match, Rule} from '../../ruleset/model.ts';
import type {Condition, NatStep, NatTable} from './published-ports.ts';

/** The nat table of a family, as iptables-save has it; undefined where there is none. */
export function natOfIptables({family, tables}: FamilyRules): NatTable | undefined {
	const table = tables.find(({name}) => name === 'nat');
	return (
		table && {
			name: `${family === 4 ? 'ip' : 'ip6'} nat`,
			families: [family],
			entries: ['PREROUTING'],
			chains: new Map(
				table.chains.map(({name, rules}) => [name, rules.flatMap((rule) => stepOf(rule) ?? [])]),
			),
		}
	);
}

function stepOf({match, target}: Rule): NatStep | undefined {
	const condition = conditionOf(match);
	// Neither TCP nor UDP.
	if (condition.protocols?.length === 0) {
		return undefined;
	}

	switch (target.kind) {
		case 'chain':
			return {condition, outcome: {kind: 'chain', name: target.name}};
		case 'ACCEPT':
		case 'RETURN':
			return Object.keys(match).length === 0 ? {condition, outcome: {kind: 'end'}} : undefined;
		case 'other': {
			const [option, name, key, value = ''] = target.words;
			if (option === '-g') {
				return {condition, outcome: {kind: 'chain', name: name ?? ''}};
			}

			if (name === 'REDIRECT') {
				const port = key === '--to-ports' ? /^\d+$/.exec(value)?.[0] : undefined;
				return key !== undefined && port === undefined
					? undefined
					: {condition, outcome: {kind: 'redirect', port: port ? Number(port) : undefined}};
			}

			// 172.17.0.2:80, 172.17.0.2-172.17.0.5:80-90, [2001:db8::2]:80, :80
			const address = /^\[?([\da-f.:]+?)\]?(?:-[^:]*)?(?::[\d-]+(?:\/\d+)?)?$/.exec(value)?.[1];
			return name === 'DNAT' && key === '--to-destination' && !value.startsWith(':')
				? {
						condition,
						outcome: {kind: 'forward', address: address && normalizeAddress(address), to: value},
					}
				: undefined;
		}
		default:
			return undefined;
	}
}

function conditionOf({
	protocol,
	destinationPorts,
	destination,
	source,
	inInterface,
}: Match): Condition {
	return {
		...(protocol === undefined ? {} : {protocols: PROTOCOLS.filter((name) => name === protocol)}),
		ports: destinationPorts,
		destination,
		source,
		// Of several interfaces at once, each is taken as met.
		on: inInterface?.endsWith('+') ? undefined : inInterface,
	};
}
