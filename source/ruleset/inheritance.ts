import type {Family} from '../policy/network.ts';
import type {Backend, FamilyRules} from './ruleset.ts';

/** What happens to rules of others that are there already. */
export const INHERITANCES = ['keep', 'flush-input', 'flush-filter'] as const;
export type Inheritance = (typeof INHERITANCES)[number];

/** Programs that own the whole firewall: beside them no other can be applied. */
export const MANAGERS = ['ufw', 'firewalld'] as const;
export type Manager = (typeof MANAGERS)[number];

/** What a change does to others' rules. It travels beside the policy, and is not part of it. */
export type Existing = {
	readonly inheritance: Inheritance;
	/** Whoever owns the firewall and is to be switched off. */
	readonly switchOff: readonly Manager[];
};

export const KEEP_EXISTING: Existing = {inheritance: 'keep', switchOff: []};

/** The rules of one family in one backend, as its iptables-save prints them. */
export type Holding = {
	readonly family: Family;
	readonly backend: Backend;
	/** Whether `iptables` means this backend: there our own rules go. */
	readonly inUse: boolean;
	readonly text: string;
	readonly rules: FamilyRules;
};

/** What goes of the filter table of one family in one backend. All of it comes back by undo. */
export type Taking = {
	readonly family: Family;
	readonly backend: Backend;
	readonly inUse: boolean;
	/** Each rule that goes, as iptables-save has it: `-A INPUT -p tcp …`. */
	readonly rules: readonly string[];
	/** Chains that all rules of others go from; our own stay. */
	readonly emptied: readonly string[];
	/** Chains that go themselves. */
	readonly removed: readonly string[];
	/** Policies of built-in chains that change. */
	readonly policies: ReadonlyArray<{
		readonly chain: string;
		readonly from: string;
		readonly to: string;
	}>;
};

/** What a choice would do here. */
export type InheritancePlan = {
	readonly inheritance: Inheritance;
	/** Where something goes; empty: nothing does. */
	readonly takings: readonly Taking[];
	/** What stops to work, one sentence each. */
	readonly breaks: readonly string[];
	/** Why it cannot be done here, in one sentence. */
	readonly refusal: string | undefined;
};
