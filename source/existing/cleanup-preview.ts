import {type Chain, type FamilyRules, findChain, OWN_PREFIX, type Rule} from '../ruleset/model.ts';
import type {Cleanup} from './cleanup-plan.ts';

/**
 * Saved rules as they will be after a change: without what the cleanup removes, and with our own
 * filter chains. Our jump keeps its position, or comes behind the rules that stay.
 * @param own the rules that are loaded; absent for the backend that is not in use
 */
export function rulesAfter(
	rules: FamilyRules,
	cleanup: Pick<Cleanup, 'emptied' | 'removed' | 'policies'> | undefined,
	own: FamilyRules | undefined,
): FamilyRules {
	const {emptied = [], removed = [], policies = []} = cleanup ?? {};
	const jumpsToRemoved = ({target}: Rule) =>
		target.kind === 'chain' && removed.includes(target.name);
	const ours = own?.tables.find(({name}) => name === 'filter')?.chains ?? [];
	const kept = (rules.tables.find(({name}) => name === 'filter')?.chains ?? [])
		.filter(({name}) => !removed.includes(name) && !(own && name.startsWith(OWN_PREFIX)))
		.map((chain): Chain => {
			const policy = policies.find((one) => one.chain === chain.name)?.to ?? chain.policy;
			return {
				name: chain.name,
				...(policy === undefined ? {} : {policy}),
				rules: emptied.includes(chain.name)
					? []
					: chain.rules.filter((rule) => !jumpsToRemoved(rule)),
			};
		});
	const input: Chain = kept.find(({name}) => name === 'INPUT') ?? {
		name: 'INPUT',
		policy: 'ACCEPT',
		rules: [],
	};
	const hasJump = input.rules.some(
		({target}) => target.kind === 'chain' && target.name.startsWith(OWN_PREFIX),
	);
	const jumps = hasJump || !own ? [] : (findChain(own, 'filter', 'INPUT')?.rules ?? []);
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
