import {useEffect, useMemo, useState} from 'react';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import {type PacketTrier, tryPackets} from '../../app/try-packet.ts';
import {describeError, InputError} from '../../lib/errors.ts';
import {answerLines} from '../../ruleset/explain.ts';
import {type Packet, parsePacket} from '../../ruleset/packet.ts';
import type {HostView} from '../steps/step-props.ts';

/** Milliseconds without a key, after which a packet is sent. */
const PAUSE = 300;

/** The lines about the packet that the user has typed: from the rules at once, or from a copy of this machine. */
export function usePacket(
	text: string,
	plan: ApplyPlan,
	{inInterface, openPacketTrier}: HostView,
): readonly string[] {
	const [trier, setTrier] = useState<PacketTrier | Error>();
	const [sent, setSent] = useState<{readonly text: string; readonly lines: readonly string[]}>();
	useEffect(() => {
		openPacketTrier(plan).then(setTrier, setTrier);
	}, [openPacketTrier, plan]);
	const {families} = plan.ruleSet;
	const packets = useMemo(
		() =>
			read(
				text,
				inInterface,
				families.map(({family}) => family),
			),
		[text, inInterface, families],
	);
	const known =
		trier === undefined || trier instanceof Error || packets instanceof InputError
			? undefined
			: packets.map((packet) => trier.evaluate(packet));
	const mustSend = known?.includes(undefined) ?? false;

	useEffect(() => {
		if (!mustSend) {
			return undefined;
		}

		let wanted = true;
		const timer = setTimeout(async () => {
			let lines: readonly string[];
			try {
				const answers = await tryPackets(trier as PacketTrier, packets as readonly Packet[]);
				lines = answers.flatMap(answerLines);
			} catch (error) {
				lines = [failureOf(error)];
			}

			if (wanted) {
				setSent({text, lines});
			}
		}, PAUSE);
		return () => {
			wanted = false;
			clearTimeout(timer);
		};
	}, [mustSend, packets, text, trier]);

	if (text.trim() === '') {
		return ['tcp 3306 from 192.0.2.7, udp 53 on eth0, icmp'];
	}

	if (packets instanceof InputError) {
		return [`${packets.message}.`, packets.hint];
	}

	if (trier instanceof Error) {
		return [failureOf(trier)];
	}

	if (sent?.text === text) {
		return sent.lines;
	}

	return known === undefined
		? ['Reading the rules that are there']
		: mustSend
			? ['Asking a copy of this machine']
			: known.flatMap((answer) => (answer ? answerLines(answer) : []));
}

function read(
	text: string,
	inInterface: string,
	families: readonly number[],
): readonly Packet[] | InputError {
	try {
		return parsePacket(text, inInterface).filter(({family}) => families.includes(family));
	} catch (error) {
		if (error instanceof InputError) {
			return error;
		}

		throw error;
	}
}

function failureOf(error: unknown): string {
	return `Unknown: ${describeError(error)}`;
}
