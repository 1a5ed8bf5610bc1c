import {planForOthers} from '../export/boot.ts';
import {printNft} from '../export/nft.ts';
import {printShell} from '../export/shell.ts';
import {printAnsible, printCloudInit} from '../export/yaml.ts';
import {servicesHere} from '../host/machine/host-facts.ts';
import {FAMILIES} from '../lib/network.ts';
import {withoutEnded} from '../policy/ending.ts';
import {policyToJson} from '../policy/policy.ts';
import {compilePolicy} from '../ruleset/build.ts';
import {choosePolicy, type PolicyFlags} from './options/policy.ts';
import type {ExportForm} from './options/words.ts';

type ExportFlags = PolicyFlags & {readonly json?: boolean};

/**
 * `fw-wizard export`: prints a policy in the form of another tool, for another machine that has both
 * families and boots with systemd. Touches nothing and needs no rights.
 * @throws {InputError} where that tool cannot do what the policy says
 */
export function exportPolicy(format: ExportForm, flags: ExportFlags): string {
	const chosen = choosePolicy(flags, servicesHere());
	const policy = {...chosen, openings: withoutEnded(chosen.openings)};
	const compiled = compilePolicy(policy, {families: FAMILIES});
	const script = () => printShell(compiled, planForOthers(compiled));
	const printers = {
		ansible: () => printAnsible(policy, script()),
		'cloud-init': () => printCloudInit(policy, script()),
		nft: () => printNft(compiled),
		shell: script,
	};
	const text = printers[format]();
	return flags.json
		? `${JSON.stringify({format, policy: policyToJson(policy), text}, undefined, '\t')}\n`
		: text;
}
