/** What we use of it; it comes without types. */
declare module 'gifenc' {
	export type Palette = ReadonlyArray<readonly number[]>;
	type Format = 'rgb565' | 'rgb444' | 'rgba4444';

	export function quantize(
		rgba: Uint8Array,
		colours: number,
		options?: {readonly format?: Format},
	): Palette;

	export function applyPalette(rgba: Uint8Array, palette: Palette, format?: Format): Uint8Array;

	export function GIFEncoder(): {
		readonly writeFrame: (
			indices: Uint8Array,
			width: number,
			height: number,
			options: {
				/** Of the first frame: for all. */
				readonly palette?: Palette;
				/** 0: for ever. */
				readonly repeat?: number;
				/** Milliseconds. */
				readonly delay?: number;
				readonly transparent?: boolean;
				readonly transparentIndex?: number;
				readonly dispose?: number;
			},
		) => void;
		readonly finish: () => void;
		readonly bytes: () => Uint8Array;
	};
}
