import process from 'node:process';
import {writeRole} from '../export/ansible/write-role.ts';
import {planForOthers} from '../export/boot.ts';
import {MOST_USER_DATA, printCloudInit} from '../export/cloud-init.ts';
import {printNft} from '../export/nft.ts';
import {printShell} from '../export/shell.ts';
import {servicesHere} from '../host/machine/host-facts.ts';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {formatNumber} from '../lib/format-number.ts';
import {printJson} from '../lib/json.ts';
import {FAMILIES} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import {withoutEnded} from '../policy/ending.ts';
import type {Policy} from '../policy/policy.ts';
import {policyToJson} from '../policy/print-policy.ts';
import {compilePolicy} from '../ruleset/build.ts';
import {choosePolicy, type PolicyFlags} from './options/policy.ts';
import type {ExportForm} from './options/words.ts';

type ExportFlags = PolicyFlags & {readonly json?: boolean; readonly roleDir?: string};

/**
 * `fw-wizard export`: prints a policy in the form of another tool, for another machine that has both
 * families and boots with systemd; a role of Ansible is written into a folder. Needs no rights.
 * @throws {InputError} where that tool cannot do what the policy says, or something else is in the folder
 */
export function exportPolicy(format: ExportForm, flags: ExportFlags): string {
	const chosen = choosePolicy(flags, servicesHere());
	const policy = {...chosen, openings: withoutEnded(chosen.openings)};
	if (format === 'ansible') {
		return exportRole(policy, flags);
	}

	if (flags.roleDir !== undefined) {
		throw new InputError('--role-dir is for a role of Ansible', 'Leave it out, or export ansible');
	}

	const compiled = compilePolicy(policy, {families: FAMILIES});
	const script = () => printShell(compiled, planForOthers(compiled));
	const printers = {
		'cloud-init': () => printCloudInit(policy, script()),
		nft: () => printNft(compiled),
		shell: script,
	};
	const text = printers[format]();
	const bytes = Buffer.byteLength(text);
	if (format === 'cloud-init' && bytes > MOST_USER_DATA) {
		process.stderr.write(
			`The user data has ${formatNumber(bytes)} bytes. Many providers take ${formatNumber(MOST_USER_DATA)} or less: then have it fetched (#include URL), or name fewer networks.\n`,
		);
	}

	return flags.json ? printJson({format, policy: policyToJson(policy), text}) : text;
}

function exportRole(policy: Policy, {roleDir, json}: ExportFlags): string {
	if (roleDir === undefined) {
		throw new InputError(
			'A role of Ansible is a folder with files: say which one to write',
			commandLine('export ansible --role-dir roles/fw_wizard --role server'),
		);
	}

	const files = writeRole(roleDir, policy);
	return json
		? printJson({format: 'ansible', policy: policyToJson(policy), folder: roleDir, files})
		: `The role is in ${printable(roleDir)}. How to use it: ${printable(roleDir)}/README.md\n`;
}
