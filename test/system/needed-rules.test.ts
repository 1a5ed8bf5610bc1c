import {beforeAll, describe, expect, test} from 'vitest';
import {recommendCleanup} from '../../source/existing/recommend-cleanup.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {joinedPair} from '../_helpers/lab/pair.ts';
import {filterLines} from '../_helpers/samples/existing-rules.ts';
import {NEEDED_RULES, type NeededRules} from '../_helpers/samples/needed-rules.ts';
import {foreignLines, plain} from '../_helpers/samples/saves.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {applyAndKeep, walkTo} from '../_helpers/ui/journey.ts';

/** What stands around them where a person has made a firewall as well. */
const FIREWALL = [
	'-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
	'-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT',
];

async function load(host: Host, programs: readonly NeededRules[], around: readonly string[]) {
	await host.must('iptables-restore', [], {input: '*filter\nCOMMIT\n'});
	await host.must('ipset', ['destroy']);
	const sets = programs.flatMap((one) => one.sets ?? []);
	await host.must('ipset', ['restore'], {input: `${sets.join('\n')}\n`});
	const text = [
		'*filter',
		...programs.flatMap(({chains = []}) => chains.map((name) => `:${name} - [0:0]`)),
		...around,
		...programs.flatMap(({rules}) => rules),
		...(around.length > 0 ? ['-A INPUT -j DROP'] : []),
		'COMMIT',
		'',
	].join('\n');
	await host.must('iptables-restore', [], {input: text});
	return plain(await host.must('iptables-save', []));
}

describe.each(mainly('nft'))(
	'rules that a program needs, as the kernel has them, %s',
	(backend) => {
		const lab = useLab();
		let host: Host;

		beforeAll(async () => {
			host = await lab.host({backend});
		});

		test.each(NEEDED_RULES)('$program: keeping them is the default', async (program) => {
			for (const around of [[], FIREWALL]) {
				const text = await load(host, [program], around);
				expect(filterLines(text, '-A')).toEqual(expect.arrayContaining([...program.rules]));
				const snapshot = {
					family: 4,
					backend,
					inUse: true,
					text,
					rules: parseSave(text, 4),
				} as const;
				expect(recommendCleanup([snapshot])?.mode).toBe('keep');
			}
		});
	},
);

describe('the rules of all these programs', () => {
	const lab = useLab();
	const terminals = useTerminals();

	test('are there after a walk with Enter alone', async () => {
		const {target} = await joinedPair(lab, 'nft');
		const before = await load(target, NEEDED_RULES, []);
		const terminal = terminals.wizard(['--role', 'server', '--open', '22/tcp'], target);
		await walkTo(terminal, 'This is what changes');
		await applyAndKeep(terminal);
		const after = plain(await target.must('iptables-save', []));
		expect(filterLines(after, '-A INPUT')).toContain('-A INPUT -j FW-WIZARD-INPUT');
		expect(foreignLines(after)).toEqual(expect.arrayContaining(before.split('\n')));
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
	});
});
