import {printJson} from '../lib/json.ts';
import {printNetwork} from '../lib/network.ts';
import {printOpening} from './opening.ts';
import type {policyForm} from './parse-policy.ts';
import type {Policy} from './policy.ts';
import type {SourceGroup} from './sources.ts';

/** The policy as JSON, indented by tabs. Openings are in their canonical text. */
export function printPolicy(policy: Policy): string {
	return printJson(policyToJson(policy));
}

/** The policy as the JSON value of a policy file. */
export function policyToJson(policy: Policy): ReturnType<ReturnType<typeof policyForm>['parse']> {
	return {
		version: 1,
		role: policy.role,
		verdict: policy.verdict,
		helpers: [...policy.helpers],
		openings: policy.openings.map(printOpening),
		...(policy.sources === undefined
			? {}
			: {sources: Object.fromEntries(policy.sources.map(groupToJson))}),
		...(policy.blocked === undefined ? {} : {blocked: policy.blocked.map(printNetwork)}),
		log: policy.log,
		...(policy.published === undefined ? {} : {published: policy.published}),
		...(policy.inner === undefined ? {} : {inner: [...policy.inner]}),
	};
}

function groupToJson({name, networks, file}: SourceGroup) {
	const list = networks.map(printNetwork);
	return [name, file === undefined ? list : {file, networks: list}] as const;
}
