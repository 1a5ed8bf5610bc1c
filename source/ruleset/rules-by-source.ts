import {addressBits, familyOf, prefixBits} from '../lib/network.ts';
import {type Chain, type FamilyRules, isGroup, type Rule} from './model.ts';

/** The rules that packets of one source can match. */
type RulesOfSource = {
	readonly rules: FamilyRules;
	/** The same for all sources that the rules treat alike, whatever the port and the protocol. */
	readonly key: string;
};

/** The rules of a chain: those of any source, and those of one network by its bits. */
type IndexedChain = {
	readonly chain: Chain;
	readonly everybody: readonly number[];
	readonly networks: ReadonlyMap<string, readonly number[]>;
	/** The lengths of their prefixes. */
	readonly lengths: readonly number[];
};

/**
 * Makes a function that finds the rules for a source without looking at each of them: there may be
 * thousands for single networks. A rule of which it is not known whom it matches is in every result. The
 * chains of groups to which the source does not get are empty.
 */
export function rulesBySource({family, tables}: FamilyRules): (source: string) => RulesOfSource {
	const indexed = tables.map((table) => {
		const chains = table.chains.map(indexChain);
		const jumps = chains.flatMap(({chain, everybody}) => targetsOf(pick(chain, everybody)));
		return {name: table.name, chains, jumps: new Set(jumps)};
	});
	return (source) => {
		const bits = addressBits(source);
		const keys: string[] = [];
		const found = indexed.map(({name, chains, jumps}) => {
			const reached = new Set(jumps);
			const picked = chains.map(({chain, everybody, networks, lengths}): Chain => {
				const own = lengths.flatMap((length) => networks.get(bits.slice(0, length)) ?? []);
				if (own.length > 0) {
					for (const target of targetsOf(pick(chain, own))) {
						reached.add(target);
					}

					const texts = own.map((index) => {
						const {match, target} = chain.rules[index] as Rule;
						const before = everybody.filter((other) => other < index).length;
						return JSON.stringify([before, {...match, source: undefined}, target]);
					});
					keys.push(`${name} ${chain.name} ${[...new Set(texts)].join(' ')}`);
				}

				return networks.size === 0 ? chain : {...chain, rules: pick(chain, [...everybody, ...own])};
			});
			return {
				name,
				chains: picked.map((chain) =>
					isGroup(chain.name) && !reached.has(chain.name) ? {...chain, rules: []} : chain,
				),
			};
		});
		return {rules: {family, tables: found}, key: keys.join('\n')};
	};
}

function targetsOf(rules: readonly Rule[]): readonly string[] {
	return rules.flatMap(({target}) => (target.kind === 'chain' ? [target.name] : []));
}

function pick({rules}: Chain, indexes: readonly number[]): readonly Rule[] {
	return [...indexes].sort((a, b) => a - b).map((index) => rules[index] as Rule);
}

function indexChain(chain: Chain): IndexedChain {
	const everybody: number[] = [];
	const networks = new Map<string, number[]>();
	for (const [index, {match}] of chain.rules.entries()) {
		if (match.source === undefined) {
			everybody.push(index);
		} else {
			const bits = prefixBits({family: familyOf(match.source), cidr: match.source});
			networks.set(bits, [...(networks.get(bits) ?? []), index]);
		}
	}

	const lengths = [...new Set([...networks.keys()].map(({length}) => length))];
	return {chain, everybody, networks, lengths};
}
