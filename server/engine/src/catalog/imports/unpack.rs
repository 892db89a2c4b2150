//! Turns the bytes of a file into text: decompression and encodings.

use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Cursor, Read},
    rc::Rc,
};

/// The maximum uncompressed size: a small file can contain a very large one.
const UNPACKED_MAX: u64 = 512 * 1024 * 1024;
/// The maximum compression ratio, beyond a size that any file may have.
const RATIO_MAX: u64 = 200;
const UNPACKED_FREE: u64 = 8 * 1024 * 1024;

/// The text of a file: decompressed from gzip, and converted from UTF-16 to UTF-8. Fails if it exceeds
/// the limits.
pub(super) fn text<'f>(file: impl Read + 'f) -> io::Result<Box<dyn Read + 'f>> {
    let came_in = Rc::<Cell<u64>>::default();
    let mut file = BufReader::with_capacity(64 * 1024, Counted { inner: file, bytes: came_in.clone() });
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let plain: Box<dyn Read + 'f> =
        if packed { Box::new(flate2::bufread::MultiGzDecoder::new(file)) } else { Box::new(file) };
    Ok(utf8(BufReader::with_capacity(64 * 1024, Bounded { inner: plain, bytes: 0, came_in })))
}

/// Counts the bytes read.
struct Counted<R> {
    inner: R,
    bytes: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

/// Fails when the uncompressed size exceeds the limit, in total or for the bytes read.
struct Bounded<R> {
    inner: R,
    bytes: u64,
    came_in: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        if self.bytes > UNPACKED_MAX || self.bytes > UNPACKED_FREE + RATIO_MAX * self.came_in.get() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(read)
    }
}

/// Fails once, as the file did.
pub(super) struct Cut(pub(super) Option<io::Error>);

impl Read for Cut {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Converts UTF-16, which spreadsheets call Unicode text, to UTF-8.
fn utf8<'f>(mut file: impl Read + 'f) -> Box<dyn Read + 'f> {
    let mut begin = Vec::new();
    let cut = (&mut file).take(4).read_to_end(&mut begin).err();
    let big_endian = match begin.as_slice() {
        [0xff, 0xfe, 0, 0] => None,
        [0xff, 0xfe, ..] => Some(false),
        [0xfe, 0xff, ..] => Some(true),
        // Without a byte order mark: in UTF-16, one byte of each ASCII character is zero.
        [1..=255, 0, 1..=255, 0] => Some(false),
        [0, 1..=255, 0, 1..=255] => Some(true),
        _ => None,
    };
    let inner = Cursor::new(begin).chain(Cut(cut)).chain(file);
    match big_endian {
        Some(big_endian) => Box::new(Utf16 { inner, big_endian, text: Vec::new(), given: 0, high: None }),
        None => Box::new(inner),
    }
}

/// UTF-16 as UTF-8. Invalid characters become an invalid byte, which is reported at its position.
struct Utf16<R> {
    inner: R,
    big_endian: bool,
    text: Vec<u8>,
    given: usize,
    /// The first half of a surrogate pair.
    high: Option<u16>,
}

impl<R: Read> Utf16<R> {
    /// Decodes the next part.
    fn decode(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        let mut bytes = Vec::new();
        (&mut self.inner).take(8 * 1024).read_to_end(&mut bytes)?;
        let units = bytes.chunks(2).map(|pair| match *pair {
            [a, b] if self.big_endian => Ok(u16::from_be_bytes([a, b])),
            [a, b] => Ok(u16::from_le_bytes([a, b])),
            // Half a code unit.
            _ => Err(()),
        });
        let units: Vec<u16> = units.map(|unit| unit.unwrap_or(0xdc00)).collect();
        let at_end = units.is_empty();
        let mut units: Vec<u16> = self.high.take().into_iter().chain(units).collect();
        if !at_end && units.last().is_some_and(|last| (0xd800..0xdc00).contains(last)) {
            self.high = units.pop();
        }
        for letter in char::decode_utf16(units) {
            match letter {
                Ok(letter) => self.text.extend(letter.encode_utf8(&mut [0; 4]).bytes()),
                Err(_) => self.text.push(0xff),
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            self.decode()?;
            if self.text.is_empty() && self.high.is_none() {
                return Ok(0);
            }
        }
        let read = (&self.text[self.given..]).read(buffer)?;
        self.given += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_small_file_unpacks_to_is_bounded() {
        let came_in = Rc::new(Cell::new(1));
        let mut bounded = Bounded { inner: io::repeat(b'x'), bytes: 0, came_in: came_in.clone() };
        let mut buffer = vec![0; 512 * 1024];
        let mut read_all = || loop {
            if let Err(error) = bounded.read(&mut buffer) {
                return (error.kind(), bounded.bytes);
            }
        };
        let (kind, bytes) = read_all();
        assert_eq!(kind, io::ErrorKind::FileTooLarge, "more than 200 times what came in");
        assert!(bytes < UNPACKED_FREE + 1024 * 1024, "{bytes}");
        came_in.set(UNPACKED_MAX);
        let (kind, bytes) = read_all();
        assert_eq!(kind, io::ErrorKind::FileTooLarge);
        assert!((UNPACKED_MAX..UNPACKED_MAX + 1024 * 1024).contains(&bytes), "{bytes}");
    }
}
