// Measures what applying costs, against two bare runs of iptables-restore on the same files.
// Runs as root in namespaces of its own; prints the figures as JSON.
import {type Before, load, readRules} from '../../source/change/load.ts';
import {type ApplyFlags, apply} from '../../source/commands/apply.ts';
import {readPolicy} from '../../source/commands/options/policy.ts';
import {run} from '../../source/host/exec/run.ts';
import {gatherFacts} from '../../source/host/machine/facts.ts';
import {programOf} from '../../source/host/netfilter/iptables.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {presenceOf} from '../../source/ruleset/diff.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {manySources} from './many-sources.ts';
import {type Figure, median, milliseconds} from './statistics.ts';

const ROUNDS = 21;
const ROUNDS_OF_MANY = 5;
/** Milliseconds. */
const LIMIT_OF_MANY = 1000;

const facts = await gatherFacts();
const flags: ApplyFlags = {
	role: 'server',
	helper: ['ftp'],
	open: ['ssh, 53, 8000-8010/tcp, 9100/tcp from 10.0.0.0/8'],
	yes: true,
};
const policy = readPolicy(flags, facts.services);
const ruleSet = buildRuleSet(policy, facts);

const bare = async (before: Before) => {
	for (const rules of ruleSet.families) {
		const saved = before.get(rules.family);
		const input = printRestore(rules, saved ? presenceOf(saved.rules) : undefined);
		const words = ['-w', '10', '--noflush'];
		const {status, stderr} = await run(programOf(rules.family, '-restore'), words, {input});
		if (status !== 0) {
			throw new Error(stderr);
		}
	}
};

// The first loads modules and makes the chains; what follows meets the same state each time.
await apply(flags);
const before = await readRules(ruleSet);
const times: Record<'bare' | 'load' | 'apply', number[]> = {
	bare: [],
	load: [],
	apply: [],
};
for (let round = 0; round < ROUNDS; round++) {
	times.bare.push(await time(async () => bare(before)));
	times.load.push(await time(async () => load(ruleSet, before)));
	times.apply.push(await time(async () => apply(flags)));
}

const many: ApplyFlags = {
	role: 'server',
	open: [`80 443 from ${manySources(1000).join(', ')}`],
	yes: true,
};
const ofMany: number[] = [];
for (let round = 0; round < ROUNDS_OF_MANY; round++) {
	ofMany.push(await time(async () => apply(many)));
}

const [two, loaded, whole] = [times.bare, times.load, times.apply].map(median) as [
	number,
	number,
	number,
];
const ratio = (value: number) => `${milliseconds(value)}, ${(value / two).toFixed(1)} times`;
const backend = facts.iptables?.backend;
const figures: readonly Figure[] = [
	{name: `${backend}: two bare iptables-restore`, value: milliseconds(two)},
	{
		name: `${backend}: apply, all of it`,
		value: ratio(whole),
		limit: '2 times',
		kept: whole <= 2 * two,
	},
	{
		name: `${backend}: of it loading and reading back`,
		value: ratio(loaded),
		limit: '2 times',
		kept: loaded <= 2 * two,
	},
	{
		name: `${backend}: apply, two ports open to 1,000 networks`,
		value: milliseconds(median(ofMany)),
		limit: milliseconds(LIMIT_OF_MANY),
		kept: median(ofMany) <= LIMIT_OF_MANY,
	},
];
console.log(JSON.stringify(figures));

async function time(action: () => Promise<unknown>): Promise<number> {
	const begin = performance.now();
	await action();
	return performance.now() - begin;
}
