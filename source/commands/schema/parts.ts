import * as z from 'zod/mini';
import {policyForm} from '../../policy/parse-policy.ts';

/** Parts that several outputs have. All are made when a schema is printed, since that takes time. */

export const text = () => z.string();
export const texts = () => z.array(z.string());
export const count = () => z.int().check(z.minimum(0));
export const flag = () => z.boolean();
/** UTC, ISO 8601. */
export const time = () => z.iso.datetime();
export const family = () => z.literal([4, 6]);
export const families = () => z.array(family());
export const port = () => z.int().check(z.minimum(0), z.maximum(65_535));
export const ranges = () => z.array(z.object({first: port(), last: port()}));
export const protocol = () => z.enum(['tcp', 'udp']);
export const policy = policyForm;

/** A rule in an output of versions before the families were numbers. */
export const builtRules = () =>
	z.array(
		z.object({
			family: z.enum(['ipv4', 'ipv6']),
			...{table: text(), chain: text(), rule: text(), part: text(), reason: text()},
		}),
	);

const FATES = ['accepted', 'rejected', 'dropped', 'forwarded', 'unknown'] as const;
export const fate = () => z.enum(FATES);

export const packet = () =>
	z.object({
		...{family: family(), inInterface: text(), source: text(), protocol: text()},
		...{state: text(), destination: z.optional(text())},
		sourcePort: z.optional(port()),
		destinationPort: z.optional(port()),
		syn: z.optional(flag()),
	});

export const decidingRule = () =>
	z.object({table: text(), chain: text(), text: text(), index: z.optional(count())});

export const packetAnswers = () =>
	z.array(
		z.object({
			...{packet: packet(), fate: fate(), outcome: text(), rules: texts()},
			decidedBy: z.optional(decidingRule()),
		}),
	);
