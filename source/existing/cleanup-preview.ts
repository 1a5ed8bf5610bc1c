import {type Chain, type FamilyRules, findChain, OWN_PREFIX, type Rule} from '../ruleset/model.ts';
import type {Cleanup} from './cleanup-plan.ts';

/**
 * Rules that were saved, as they are after a change: less what goes, and with our own filter chain. Our
 * jump stays where it is, or stands behind what stays.
 * @param own what we load; absent in the backend that is not in use
 */
export function rulesAfter(
	rules: FamilyRules,
	cleanup: Pick<Cleanup, 'emptied' | 'removed' | 'policies'> | undefined,
	own: FamilyRules | undefined,
): FamilyRules {
	const {emptied = [], removed = [], policies = []} = cleanup ?? {};
	const leadsAway = ({target}: Rule) => target.kind === 'chain' && removed.includes(target.name);
	const ours = own?.tables.find(({name}) => name === 'filter')?.chains ?? [];
	const kept = (rules.tables.find(({name}) => name === 'filter')?.chains ?? [])
		.filter(({name}) => !removed.includes(name) && !(own && name.startsWith(OWN_PREFIX)))
		.map((chain): Chain => {
			const policy = policies.find((one) => one.chain === chain.name)?.to ?? chain.policy;
			return {
				name: chain.name,
				...(policy === undefined ? {} : {policy}),
				rules: emptied.includes(chain.name) ? [] : chain.rules.filter((rule) => !leadsAway(rule)),
			};
		});
	const input: Chain = kept.find(({name}) => name === 'INPUT') ?? {
		name: 'INPUT',
		policy: 'ACCEPT',
		rules: [],
	};
	const isThere = input.rules.some(
		({target}) => target.kind === 'chain' && target.name.startsWith(OWN_PREFIX),
	);
	const jumps = isThere || !own ? [] : (findChain(own, 'filter', 'INPUT')?.rules ?? []);
	return {
		family: rules.family,
		tables: [
			...rules.tables.filter(({name}) => name !== 'filter'),
			{
				name: 'filter',
				chains: [
					{...input, rules: [...input.rules, ...jumps]},
					...[...kept, ...ours].filter(({name}) => name !== 'INPUT'),
				],
			},
		],
	};
}
