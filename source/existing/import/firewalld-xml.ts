import {XMLParser} from 'fast-xml-parser';
import {printable} from '../../lib/printable.ts';

/** An element of a file of firewalld, with its children in the order of the file. */
export type Element = {
	readonly name: string;
	readonly attributes: Readonly<Record<string, string>>;
	readonly children: readonly Element[];
};

/** Elements that only describe the file. */
const DESCRIPTIONS = ['short', 'description', '?xml', '#text', '#comment'];
const ATTRIBUTES = ':@';

/** Reads the root element of a file of firewalld (firewalld.zone(5)); undefined where the text is not XML. */
export function readElement(xml: string): Element | undefined {
	const parser = new XMLParser({
		preserveOrder: true,
		ignoreAttributes: false,
		attributeNamePrefix: '',
		parseAttributeValue: false,
		parseTagValue: false,
		processEntities: false,
	});
	try {
		const roots = elementsOf(parser.parse(xml, true));
		return roots.length === 1 ? roots[0] : undefined;
	} catch {
		return undefined;
	}
}

function elementsOf(nodes: unknown): readonly Element[] {
	return (Array.isArray(nodes) ? (nodes as ReadonlyArray<Record<string, unknown>>) : []).flatMap(
		(node) =>
			Object.entries(node)
				.filter(([name]) => name !== ATTRIBUTES && !DESCRIPTIONS.includes(name))
				.map(([name, children]) => ({
					name,
					attributes: (node[ATTRIBUTES] ?? {}) as Readonly<Record<string, string>>,
					children: elementsOf(children),
				})),
	);
}

/** An element in one line: `rule family=ipv4 source address=10.0.0.0/8 drop`. */
export function printElement({name, attributes, children}: Element): string {
	const words = [
		name,
		...Object.entries(attributes).map(([key, value]) => `${key}=${value}`),
		...children.map(printElement),
	];
	return printable(words.join(' '), 160);
}
